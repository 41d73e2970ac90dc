//! Why a message was refused.

use thiserror::Error;

/// Explains why a message is not valid. The sender is at fault: it has another version or a defect. A retry gets the same
/// answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidMessage {
    /// A required field is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A session id is not a UUID.
    #[error("session_id is no UUID")]
    SessionId,
    /// A pod name is empty, too long or not printable.
    #[error("pod is no pod name")]
    PodName,
    /// A user name is empty, too long or has invisible characters.
    #[error("user is no user name")]
    UserName,
    /// A time is outside the years 1 to 9999, or its nanoseconds outside a second.
    #[error("{0} is no time")]
    Time(&'static str),
    /// The last activity of a session is before its login.
    #[error("last_activity lies before login_time")]
    ActivityBeforeLogin,
    /// A task id is not a UUID.
    #[error("task_id is no UUID")]
    TaskId,
    /// The progress of a task is not a number between 0 and 1.
    #[error("progress of a task is not between 0 and 1")]
    TaskProgress,
    /// A text of a task is longer than allowed.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// A session has more tasks than a session can have.
    #[error("a session has more than 100 tasks")]
    TooManyTasks,
    /// A phase is unspecified or unknown to this version.
    #[error("phase {0} is unknown")]
    Phase(i32),
}
