//! Whether a request has a session.

use session_domain::{SessionId, UserName};

use crate::sessions::ServedSession;

/// Whether a request has a session.
#[derive(Debug)]
pub(crate) enum ResolvedSession {
    Session(ServedSession),
    NoSession {
        /// The user that a proxy names.
        user: Option<UserName>,
        /// The session that the cookie names, where this pod does not hold it and it was not looked up.
        unresolved: Option<SessionId>,
    },
}
