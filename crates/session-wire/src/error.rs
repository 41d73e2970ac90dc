//! Why a message was refused.

use thiserror::Error;

/// What a message says makes no sense. The sender is at fault: a newer or older version, or a liar.
/// Asking again gets the same answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidMessage {
    /// A field that is always set is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A session id is no UUID.
    #[error("session_id is no UUID")]
    SessionId,
    /// A pod name is empty, too long or not printable.
    #[error("pod is no pod name")]
    PodName,
    /// A user name is empty, too long or has invisible characters.
    #[error("user is no user name")]
    UserName,
    /// A time lies outside the years 1 to 9999, or its nanoseconds outside a second.
    #[error("{0} is no time")]
    Time(&'static str),
    /// The session's last activity lies before its login.
    #[error("last_activity lies before login_time")]
    ActivityBeforeLogin,
    /// A phase that this version does not know, or none.
    #[error("phase {0} is unknown")]
    Phase(i32),
}
