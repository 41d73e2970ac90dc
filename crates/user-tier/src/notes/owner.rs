//! The owner of notes: a named user, on every pod; or the session of an anonymous user, so that no anonymous user sees another's.

use lastcall::{ANONYMOUS, Session};

/// The owner of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(String);

/// What the keys of anonymous users begin with.
pub(super) const ANONYMOUS_PREFIX: &str = "session:";

impl Owner {
    /// A user with a name.
    pub fn user(name: &str) -> Self {
        Self(format!("user:{name}"))
    }

    /// The anonymous user of one session.
    pub fn anonymous(session_id: &str) -> Self {
        Self(format!("{ANONYMOUS_PREFIX}{session_id}"))
    }

    /// The owner of what a session writes.
    pub(crate) fn of(session: &Session) -> Self {
        match session.user().as_str() {
            ANONYMOUS => Self::anonymous(&session.id().to_string()),
            name => Self::user(name),
        }
    }

    /// The key in the database.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
