//! The state of a double that its connections, its watches and the test share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::kubernetes::fault::Faults;
use crate::kubernetes::status::Status;
use crate::kubernetes::store::Store;

/// How a double is configured.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bearer token that every request must present. No token is required if unset.
    pub token: Option<String>,
    /// Whether the double speaks TLS, with a certificate made by `openssl`.
    pub tls: bool,
    /// How often a watch gets a bookmark, if it asks for bookmarks.
    pub bookmarks: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { token: None, tls: false, bookmarks: Duration::from_secs(1) }
    }
}

/// How open watches are ended. The number makes each one a change of the channel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Interruption {
    /// The connections break.
    Cut(u64),
    /// The watches get the event that their revision has expired.
    Expire(u64),
}

/// The state that all connections share.
#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) options: Options,
    store: Mutex<Store>,
    /// The newest revision. A change wakes the watches.
    pub(super) revision: watch::Sender<u64>,
    pub(super) interruptions: watch::Sender<Interruption>,
    pub(super) faults: Faults,
    /// How many watches are open.
    pub(super) watching: AtomicUsize,
    /// How often the open watches were muted for good.
    pub(super) mutings: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) rejects_connections: AtomicBool,
}

impl ServerState {
    pub(super) fn new(options: Options) -> Self {
        Self {
            store: Mutex::default(),
            revision: watch::Sender::new(0),
            interruptions: watch::Sender::new(Interruption::Cut(0)),
            faults: Faults::default(),
            watching: AtomicUsize::new(0),
            mutings: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            rejects_connections: AtomicBool::new(false),
            options,
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock()
    }

    /// Changes the objects, and wakes the watches.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Store) -> Result<T, Status>) -> Result<T, Status> {
        let mut store = self.store();
        let changed = change(&mut store)?;
        self.revision.send_replace(store.revision());
        Ok(changed)
    }
}

impl Interruption {
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Cut(number) | Self::Expire(number) => number,
        }
    }
}
