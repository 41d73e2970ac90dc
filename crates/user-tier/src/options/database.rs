//! The option of the database that the sample app keeps notes in.

use cli::options::{Environment, OptionErrors};
use cli::secret;
use cli::secret::help::SecretOption;

use crate::notes::{DatabaseUrl, InvalidDatabaseUrl};

pub(super) const DATABASE_URL: SecretOption = SecretOption {
    variable: "DATABASE_URL",
    meaning: "where the sample app keeps notes: sqlite:/path/to/notes.db or postgres://user:password@host/database",
    default: "sqlite::memory:, with a warning: notes end with this process",
};

/// Where the sample app keeps notes.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// `DATABASE_URL`, or the memory of this process.
    pub url: DatabaseUrl,
    /// Whether `DATABASE_URL` is set.
    pub is_set: bool,
}

/// Reads `DATABASE_URL`.
pub(super) fn read(environment: &dyn Environment, errors: &mut OptionErrors) -> DatabaseOptions {
    let mut options = DatabaseOptions { url: DatabaseUrl::Memory, is_set: false };
    if let Some(url) = secret::read("DATABASE_URL", environment, errors) {
        options.is_set = true;
        errors.set(
            &mut options.url,
            "DATABASE_URL",
            url.expose().parse().map_err(|error: InvalidDatabaseUrl| error.to_string()),
        );
    }
    options
}
