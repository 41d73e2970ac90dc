//! The notes of the sample app, in SQLite or PostgreSQL.
//!
//! Every save names the version that it is based on. One that is based on an older version changes nothing and returns the current
//! text, so that two windows of a user never overwrite each other silently.
//!
//! The pod starts without the database, too: a task connects and migrates until that works, and until then saves fail with
//! [`NotesError::Away`]. Nothing here blocks a thread of the runtime, and every wait has a limit.

mod database_url;
mod error;
mod health;
mod owner;
mod pools;
mod routes;
#[cfg(test)]
mod tests;
mod version;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backoff::Backoff;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

pub use database_url::{DatabaseUrl, InvalidDatabaseUrl};
pub use error::NotesError;
use health::Health;
pub use owner::Owner;
use pools::Pools;
pub(crate) use routes::router;
pub use version::Version;

/// How long a request waits for the first connection after the start. The database in memory is there within milliseconds.
const READY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one attempt to connect and to migrate may take.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the notes of anonymous users are removed whose session has ended long ago.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// The largest text of a user, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 128 * 1024;

/// The text of a user, as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text.
    pub text: String,
    /// Its version.
    pub version: Version,
}

/// What became of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The text is stored under this version.
    Stored(Version),
    /// Nothing was changed: the save was based on another version than this current one.
    Conflict(Note),
}

/// The store of the notes. Clones share it.
#[derive(Clone, Debug)]
pub struct Notes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pools: Pools,
    health: Health,
    /// Whether the tables are there, or why not; none until the first attempt has ended.
    ready: watch::Sender<Option<Result<(), NotesError>>>,
    /// Refuses new work.
    closing: CancellationToken,
    /// The running queries. They end even if the client that asked for them has gone.
    running: TaskTracker,
    /// The task that connects, migrates and cleans up.
    connector: Mutex<Option<JoinHandle<()>>>,
}

impl Notes {
    /// Opens the store and begins to connect. Does not wait for the database.
    pub fn open(url: &DatabaseUrl) -> Self {
        let shared = Arc::new(Shared {
            pools: Pools::open(url),
            health: Health::default(),
            ready: watch::Sender::new(None),
            closing: CancellationToken::new(),
            running: TaskTracker::new(),
            connector: Mutex::default(),
        });
        let connector = tokio::spawn(Arc::clone(&shared).maintain());
        *shared.connector.lock().unwrap_or_else(PoisonError::into_inner) = Some(connector);
        Self { shared }
    }

    /// Whether the texts outlive the process.
    pub fn outlives_process(&self) -> bool {
        self.shared.pools.outlives_process()
    }

    /// The text of an owner; none: an empty text of [`Version::NONE`].
    ///
    /// # Errors
    /// The database does not answer as it should.
    pub async fn load(&self, owner: Owner) -> Result<Note, NotesError> {
        self.run(async move |pools| pools.load(&owner).await).await
    }

    /// Stores a text, if `base` is still the current version. The same text once more is no conflict: a client whose answer was lost
    /// may repeat its save.
    ///
    /// # Errors
    /// The database does not answer as it should. The text may be stored all the same.
    pub async fn save(&self, owner: Owner, text: String, base: Version) -> Result<Saved, NotesError> {
        self.run(async move |pools| pools.save(&owner, text, base).await).await
    }

    /// Refuses new work, waits until the running queries have ended, and closes the connections. May take as long as the limit of a
    /// query; the caller gives it a limit of its own.
    pub async fn close(&self) {
        let shared = &self.shared;
        shared.closing.cancel();
        shared.running.close();
        shared.running.wait().await;
        let connector = shared.connector.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(connector) = connector {
            _ = connector.await;
        }
        shared.pools.close().await;
    }

    /// Runs a query to its end, even if the caller goes away meanwhile.
    async fn run<T: Send + 'static, F>(&self, query: impl FnOnce(Pools) -> F + Send + 'static) -> Result<T, NotesError>
    where
        F: Future<Output = Result<T, NotesError>> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        // The token comes first, so that `close` either waits for this query or has refused it.
        let token = shared.running.token();
        if shared.closing.is_cancelled() {
            return Err(NotesError::Closing);
        }
        let task = tokio::spawn(async move {
            let _token = token;
            // The connector logs why not.
            shared.ready().await?;
            let result = query(shared.pools.clone()).await;
            shared.health.record(result.as_ref().err());
            result
        });
        task.await.unwrap_or(Err(NotesError::Failed))
    }
}

impl Shared {
    /// Waits for the end of the first attempt to connect, no longer than [`READY_TIMEOUT`].
    async fn ready(&self) -> Result<(), NotesError> {
        let mut ready = self.ready.subscribe();
        tokio::select! {
            result = timeout(READY_TIMEOUT, ready.wait_for(Option::is_some)) => match result {
                Ok(Ok(attempt)) => attempt.unwrap_or(Err(NotesError::Away)),
                Ok(Err(_)) | Err(_) => Err(NotesError::Away),
            },
            () = self.closing.cancelled() => self.ready.borrow().unwrap_or(Err(NotesError::Closing)),
        }
    }

    /// Connects and migrates until that has worked once, then cleans up from time to time.
    async fn maintain(self: Arc<Self>) {
        let mut backoff = Backoff::default();
        loop {
            let result = tokio::select! {
                result = timeout(MIGRATION_TIMEOUT, self.pools.migrate()) => result.unwrap_or(Err(NotesError::Away)),
                () = self.closing.cancelled() => return,
            };
            self.health.record(result.as_ref().err());
            self.ready.send_replace(Some(result));
            if result.is_ok() {
                break;
            }
            if self.closes_within(backoff.next_pause()).await {
                return;
            }
        }
        info!(database = self.pools.kind(), "notes are kept in the database");
        loop {
            tokio::select! {
                result = self.pools.remove_abandoned() => self.health.record(result.err().as_ref()),
                () = self.closing.cancelled() => return,
            }
            if self.closes_within(CLEANUP_INTERVAL).await {
                return;
            }
        }
    }

    async fn closes_within(&self, pause: Duration) -> bool {
        tokio::select! {
            () = sleep(pause) => false,
            () = self.closing.cancelled() => true,
        }
    }
}
