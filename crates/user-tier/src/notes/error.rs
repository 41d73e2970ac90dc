//! Why notes cannot be read or saved, what the user is told, and what the operator should do.

use std::time::Duration;

use sqlx::migrate::MigrateError;

/// Why the database did not do what was asked. Every kind but [`Failed`](Self::Failed) passes, so a client tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotesError {
    /// The pod is about to exit: another pod serves the next attempt.
    #[error("this server is about to stop")]
    Closing,
    /// The database cannot be reached.
    #[error("the database does not answer")]
    Away,
    /// The database refuses the user or password, or there is no such database or file.
    #[error("the database cannot be opened")]
    Refused,
    /// Another process holds a lock for too long.
    #[error("the database is locked")]
    Locked,
    /// The query took too long.
    #[error("the database takes too long")]
    Slow,
    /// There is no room.
    #[error("the database is full")]
    Full,
    /// The database is read-only.
    #[error("the database is read-only")]
    ReadOnly,
    /// Anything else.
    #[error("the database reported an error")]
    Failed,
}

impl NotesError {
    /// After what time a client should try again.
    pub(super) const fn retry_after(self) -> Duration {
        match self {
            Self::Closing | Self::Away | Self::Locked | Self::Slow => Duration::from_secs(1),
            Self::Refused | Self::Full | Self::ReadOnly | Self::Failed => Duration::from_secs(5),
        }
    }

    /// What an operator should do.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Closing => "nothing needs to be done",
            Self::Away => "check that it runs and that it can be reached at the address in DATABASE_URL",
            Self::Refused => {
                "check user, password and database name in DATABASE_URL; for SQLite, that the folder exists and that this user may \
                 write to it"
            }
            Self::Locked => "find the process or the transaction that holds a lock on it, and end it",
            Self::Slow => "check its load, and look for long transactions",
            Self::Full => {
                "free disk space or enlarge the database; where DATABASE_URL is not set, set it: memory is limited"
            }
            Self::ReadOnly => "make it writable, or name the primary server in DATABASE_URL",
            Self::Failed => {
                "see its own log; the user in DATABASE_URL needs the right to create, read and write tables"
            }
        }
    }

    /// The kind of an error of sqlx. `is_file`: whether it is SQLite, which has no server that could be away.
    pub(super) fn of(error: &sqlx::Error, is_file: bool) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closing,
            // All connections to the file wait for a lock.
            sqlx::Error::PoolTimedOut if is_file => Self::Locked,
            sqlx::Error::PoolTimedOut
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Away,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                if is_file { Self::of_sqlite(&code) } else { Self::of_postgres(&code) }
            }
            _ => Self::Failed,
        }
    }

    /// The kind of an error of a migration.
    pub(super) fn of_migration(error: &MigrateError, is_file: bool) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::of(error, is_file),
            _ => Self::Failed,
        }
    }

    /// The kind of an extended result code of SQLite; its low byte is the primary code.
    pub(super) fn of_sqlite(code: &str) -> Self {
        match code.parse::<u32>().unwrap_or_default() & 0xff {
            // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL
            5 | 6 | 15 => Self::Locked,
            // SQLITE_READONLY
            8 => Self::ReadOnly,
            // SQLITE_IOERR, of a disk that fails or is not mounted any more
            10 => Self::Away,
            // SQLITE_FULL
            13 => Self::Full,
            // SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH, SQLITE_NOTADB
            3 | 14 | 23 | 26 => Self::Refused,
            _ => Self::Failed,
        }
    }

    /// The kind of an SQLSTATE of PostgreSQL.
    pub(super) fn of_postgres(code: &str) -> Self {
        match code {
            // Not enough connections, and a server that starts or stops.
            "53300" | "57P01" | "57P02" | "57P03" | "57P05" => Self::Away,
            "53100" | "53200" => Self::Full,
            // Read-only transaction; not supported during recovery.
            "25006" | "0A000" => Self::ReadOnly,
            // A query that was cancelled after `statement_timeout`.
            "57014" => Self::Slow,
            // Lock not available, deadlock, serialization failure.
            "55P03" | "40P01" | "40001" => Self::Locked,
            // No such database, or a login that is not allowed now.
            "3D000" | "55000" => Self::Refused,
            _ if code.starts_with("08") => Self::Away,
            _ if code.starts_with("28") => Self::Refused,
            _ => Self::Failed,
        }
    }
}
