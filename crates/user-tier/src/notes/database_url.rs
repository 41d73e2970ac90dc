//! `DATABASE_URL`, parsed without connecting. Never printed: it can contain a password.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// Where notes are kept. Its `Debug` output shows only the kind.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// SQLite in the memory of this process.
    Memory,
    /// A file of SQLite.
    Sqlite(Box<SqliteConnectOptions>),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// The value cannot be used. The message says what to write, and does not repeat the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Another kind of database, or no URL.
    #[error(
        "is no database that is supported; write sqlite:/path/to/notes.db, postgres://user:password@host/database or sqlite::memory:"
    )]
    UnknownKind,
    /// A faulty `sqlite:` URL.
    #[error("names no file of SQLite; write sqlite:/path/to/notes.db")]
    Sqlite,
    /// A faulty `postgres:` URL.
    #[error(
        "is no address of PostgreSQL; write postgres://user:password@host/database, and %40, %2F, %3A for @, / and : in the password"
    )]
    Postgres,
}

impl DatabaseUrl {
    /// The kind, for logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let text = text.trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return postgres(text).ok_or(InvalidDatabaseUrl::Postgres);
        }
        let Some(path) = text.strip_prefix("sqlite:") else { return Err(InvalidDatabaseUrl::UnknownKind) };
        let path = path.strip_prefix("//").unwrap_or(path);
        let (file, query) = path.split_once('?').unwrap_or((path, ""));
        if file == ":memory:" || query.split('&').any(|pair| pair == "mode=memory") {
            return Ok(Self::Memory);
        }
        if file.is_empty() || file.ends_with('/') || file.contains('\0') {
            return Err(InvalidDatabaseUrl::Sqlite);
        }
        let options = SqliteConnectOptions::from_str(text).map_err(|_| InvalidDatabaseUrl::Sqlite)?;
        Ok(Self::Sqlite(Box::new(options)))
    }
}

/// The parameters of a URL that sqlx knows. It would log the values of others, which may be a misspelt `password`.
const PARAMETERS: [&str; 16] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

fn postgres(text: &str) -> Option<DatabaseUrl> {
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        if !PARAMETERS.contains(&name) && name != "statement-cache-capacity" && !name.starts_with("options[") {
            return None;
        }
    }
    Some(DatabaseUrl::Postgres(Box::new(PgConnectOptions::from_str(text).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Result<&'static str, InvalidDatabaseUrl> {
        text.parse::<DatabaseUrl>().map(|url| url.kind())
    }

    #[test]
    fn sqlite_and_postgres_are_accepted_and_anything_else_says_what_to_write() {
        for (text, expected) in [
            ("sqlite::memory:", "memory"),
            ("sqlite://:memory:", "memory"),
            ("sqlite:x?mode=memory", "memory"),
            ("sqlite:/data/notes.db", "sqlite"),
            ("sqlite:///data/notes.db", "sqlite"),
            ("sqlite:notes.db?mode=ro", "sqlite"),
            ("postgres://ada:hunter2@db/notes", "postgres"),
            ("postgresql://db?sslmode=require", "postgres"),
        ] {
            assert_eq!(kind(text), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("", InvalidDatabaseUrl::UnknownKind),
            ("mysql://db/notes", InvalidDatabaseUrl::UnknownKind),
            ("/data/notes.db", InvalidDatabaseUrl::UnknownKind),
            ("sqlite:", InvalidDatabaseUrl::Sqlite),
            ("sqlite:/data/", InvalidDatabaseUrl::Sqlite),
            ("sqlite:/data/notes.db?colour=red", InvalidDatabaseUrl::Sqlite),
            ("postgres://ada:hunter2@db:port/notes", InvalidDatabaseUrl::Postgres),
            ("postgres://db/notes?pasword=hunter2", InvalidDatabaseUrl::Postgres),
            ("postgres://db/notes?sslmode=hunter2", InvalidDatabaseUrl::Postgres),
        ] {
            assert_eq!(kind(text), Err(expected), "{text}");
            assert!(expected.to_string().contains("; write ") && !expected.to_string().contains("hunter2"));
        }
        let url: DatabaseUrl = "postgres://ada:hunter2@db/notes".parse().unwrap();
        assert_eq!(format!("{url:?}"), "postgres");
    }
}
