//! The connections to the database, and the queries. SQLite and PostgreSQL understand the same statements.

use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Database, PgPool, SqlitePool};
use tokio::time::timeout;

use super::owner::ANONYMOUS_PREFIX;
use super::{DatabaseUrl, Note, NotesError, Owner, Saved, Version};

/// How long a query waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a statement may take. PostgreSQL cancels it then; SQLite gives up waiting for a lock a little earlier.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a statement is waited for: a server that does not answer cancels nothing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);
/// The connections of one pod. Each query takes milliseconds.
const MAX_CONNECTIONS: u32 = 5;
/// The largest database in memory: 64 MiB, in pages of 4 KiB. Any newcomer can save notes.
const MAX_MEMORY_PAGES: &str = "16384";
/// How long the notes of an anonymous user are kept after the last save.
const ANONYMOUS_RETENTION_SECONDS: i64 = 30 * 24 * 3600;

/// A database that a newer release has changed is accepted: two releases run side by side.
static SQLITE_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| tolerant(sqlx::migrate!("migrations/sqlite")));
static POSTGRES_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| tolerant(sqlx::migrate!("migrations/postgres")));

const LOAD: &str = "SELECT text, lineage, number FROM notes WHERE owner = $1";

/// The statements that need the time, which is the database's: the clocks of pods may differ.
#[derive(Debug)]
struct Statements {
    insert: &'static str,
    update: &'static str,
    remove: &'static str,
}

macro_rules! statements {
    ($now:literal) => {
        Statements {
            insert: concat!(
                "INSERT INTO notes (owner, lineage, number, text, saved_at) VALUES ($1, $2, $3, $4, ",
                $now,
                ") ON CONFLICT (owner) DO NOTHING"
            ),
            update: concat!(
                "UPDATE notes SET number = $2, text = $3, saved_at = ",
                $now,
                " WHERE owner = $1 AND lineage = $4 AND number = $5"
            ),
            remove: concat!("DELETE FROM notes WHERE saved_at < ", $now, " - $1 AND owner LIKE $2"),
        }
    };
}

static SQLITE: Statements = statements!("unixepoch()");
static POSTGRES: Statements = statements!("extract(epoch from now())::bigint");

/// The connections. Clones share them.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// In memory: one connection that is never closed, since each has a database of its own.
    Memory(SqlitePool),
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs a query on a connection of the pool, within [`ANSWER_TIMEOUT`]. A connection that has not answered in time is closed, so that it
/// does not keep its place in the pool.
macro_rules! run {
    ($pools:expr, $connection:ident => $query:expr) => {
        match $pools {
            Pools::Memory(pool) | Pools::Sqlite(pool) => run!(@ pool, true, $connection => $query),
            Pools::Postgres(pool) => run!(@ pool, false, $connection => $query),
        }
    };
    (@ $pool:expr, $is_file:expr, $connection:ident => $query:expr) => {{
        let mut connection = $pool.acquire().await.map_err(|error| NotesError::of(&error, $is_file))?;
        let $connection = &mut *connection;
        match timeout(ANSWER_TIMEOUT, $query).await {
            Ok(result) => result.map_err(|error| NotesError::of(&error, $is_file)),
            Err(_) => {
                connection.close_on_drop();
                Err(NotesError::Slow)
            }
        }
    }};
}

impl Pools {
    /// Prepares the connections. None is opened yet.
    pub(super) fn open(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Memory => {
                let options = SqliteConnectOptions::new().in_memory(true).pragma("max_page_count", MAX_MEMORY_PAGES);
                let options = options.disable_statement_logging();
                let pool = bounded(1).min_connections(1).idle_timeout(None).max_lifetime(None);
                Self::Memory(pool.connect_lazy_with(options))
            }
            DatabaseUrl::Sqlite(options) => {
                // `?mode=ro` names a file that must be there.
                let reads_only = options.to_url_lossy().query().is_some_and(|query| query.contains("mode=ro"));
                let options = options.as_ref().clone().busy_timeout(LOCK_TIMEOUT).disable_statement_logging();
                let options = match reads_only {
                    true => options,
                    false => options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal),
                };
                Self::Sqlite(bounded(MAX_CONNECTIONS).connect_lazy_with(options))
            }
            DatabaseUrl::Postgres(options) => {
                let limit = format!("{}s", STATEMENT_TIMEOUT.as_secs());
                let options =
                    options.as_ref().clone().options([("statement_timeout", limit)]).disable_statement_logging();
                Self::Postgres(bounded(MAX_CONNECTIONS).connect_lazy_with(options))
            }
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    pub(super) const fn outlives_process(&self) -> bool {
        !matches!(self, Self::Memory(_))
    }

    /// Creates the tables, or changes those of an older release. PostgreSQL lets one pod at a time do so; with SQLite, a process that
    /// comes second fails and tries again.
    pub(super) async fn migrate(&self) -> Result<(), NotesError> {
        let (result, is_file) = match self {
            Self::Memory(pool) | Self::Sqlite(pool) => (SQLITE_MIGRATIONS.run(pool).await, true),
            Self::Postgres(pool) => (POSTGRES_MIGRATIONS.run(pool).await, false),
        };
        result.map_err(|error| NotesError::of_migration(&error, is_file))
    }

    const fn statements(&self) -> &'static Statements {
        match self {
            Self::Memory(_) | Self::Sqlite(_) => &SQLITE,
            Self::Postgres(_) => &POSTGRES,
        }
    }

    pub(super) async fn load(&self, owner: &Owner) -> Result<Note, NotesError> {
        let found: Option<(String, i64, i64)> =
            run!(self, connection => sqlx::query_as(LOAD).bind(owner.as_str()).fetch_optional(connection))?;
        Ok(match found {
            Some((text, lineage, number)) => Note { text, version: Version { lineage, number } },
            None => Note { text: String::new(), version: Version::NONE },
        })
    }

    /// Stores a text in one statement, so that no two saves with the same base succeed.
    pub(super) async fn save(&self, owner: &Owner, text: String, base: Version) -> Result<Saved, NotesError> {
        let stored = if base == Version::NONE { Version::first() } else { base.next() };
        let rows = if base == Version::NONE {
            run!(self, connection => async {
                let insert = sqlx::query(self.statements().insert).bind(owner.as_str()).bind(stored.lineage);
                insert.bind(stored.number).bind(&text).execute(connection).await.map(|done| done.rows_affected())
            })?
        } else {
            run!(self, connection => async {
                let update = sqlx::query(self.statements().update).bind(owner.as_str()).bind(stored.number).bind(&text);
                let update = update.bind(base.lineage).bind(base.number);
                update.execute(connection).await.map(|done| done.rows_affected())
            })?
        };
        if rows > 0 {
            return Ok(Saved::Stored(stored));
        }
        let current = self.load(owner).await?;
        let is_repeated = current.text == text && current.version != Version::NONE;
        Ok(if is_repeated { Saved::Stored(current.version) } else { Saved::Conflict(current) })
    }

    /// Removes the notes of anonymous users that were last saved long ago: nobody can read them any more.
    pub(super) async fn remove_abandoned(&self) -> Result<(), NotesError> {
        let pattern = format!("{ANONYMOUS_PREFIX}%");
        run!(self, connection => async {
            let remove = sqlx::query(self.statements().remove).bind(ANONYMOUS_RETENTION_SECONDS).bind(&pattern);
            remove.execute(connection).await.map(|_| ())
        })
    }

    /// Closes the connections. A connection that was on its way back into the pool when sqlx began to close it stays open in the pool:
    /// closing once more finds it.
    pub(super) async fn close(&self) {
        for _ in 0..2 {
            match self {
                Self::Memory(pool) | Self::Sqlite(pool) => pool.close().await,
                Self::Postgres(pool) => pool.close().await,
            }
        }
    }
}

fn bounded<DB: Database>(connections: u32) -> PoolOptions<DB> {
    PoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT)
}

fn tolerant(mut migrations: Migrator) -> Migrator {
    migrations.set_ignore_missing(true);
    migrations
}
