//! Why a request about a task is refused.

use std::borrow::Cow;

use http::StatusCode;
use session_domain::registry::TaskError;
use session_domain::{InvalidTask, MAX_TASKS_PER_SESSION};

use crate::refusal::Reason;
use crate::sharing::TaskLookupError;

/// Why a request about a task is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskRefusal {
    /// The body was not received.
    NotReceived(StatusCode),
    /// The body is no JSON object.
    NotAnObject,
    /// The field holds a value of another type.
    WrongType { field: &'static str, expected: &'static str },
    /// A value is outside of its range.
    Invalid(InvalidTask),
    /// The session has as many tasks as it may.
    TooManyOfSession,
    /// The pod runs as many tasks as it may.
    TooManyOfPod,
    /// There is no such session.
    NoSuchSession,
    /// A login has replaced the id of the session.
    SessionReplaced,
    /// The session has no such task.
    NotFound,
    /// The pod that runs the task cannot be found now.
    Unavailable,
}

impl From<TaskLookupError> for Reason {
    fn from(error: TaskLookupError) -> Self {
        match error {
            TaskLookupError::NotFound => Self::Task(TaskRefusal::NotFound),
            TaskLookupError::Unavailable => Self::Task(TaskRefusal::Unavailable),
            TaskLookupError::NoRoom(error) => error.into(),
            TaskLookupError::Stopping => Self::Stopping,
        }
    }
}

impl From<TaskError> for Reason {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::TooManyOfSession => Self::Task(TaskRefusal::TooManyOfSession),
            TaskError::TooManyOfPod => Self::Task(TaskRefusal::TooManyOfPod),
            TaskError::SessionEnded => Self::SessionEnded,
        }
    }
}

impl TaskRefusal {
    /// The status, the title and the text of the response.
    pub(crate) fn problem(self) -> (StatusCode, &'static str, Cow<'static, str>) {
        match self {
            Self::NotReceived(status) => {
                (status, "The task was not received", "Send a JSON object of at most 16 KiB, in one go.".into())
            }
            Self::NotAnObject => {
                let detail = "The body must be a JSON object, such as `{}`.";
                (StatusCode::UNPROCESSABLE_ENTITY, "Invalid task", detail.into())
            }
            Self::WrongType { field, expected } => {
                let detail = format!("`{field}` must be {expected}.");
                (StatusCode::UNPROCESSABLE_ENTITY, "Invalid task", detail.into())
            }
            Self::Invalid(error) => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid task", format!("{error}.").into()),
            Self::TooManyOfSession => {
                let detail =
                    format!("The session has {MAX_TASKS_PER_SESSION} tasks. End one, or wait for the end of one.");
                (StatusCode::TOO_MANY_REQUESTS, "Too many tasks", detail.into())
            }
            Self::TooManyOfPod => {
                let detail = "This server runs as many tasks as it may. Try again in a few seconds.";
                (StatusCode::TOO_MANY_REQUESTS, "Too many tasks", detail.into())
            }
            Self::NoSuchSession => {
                let detail = "There is no session with this `session_id`: it has ended, or there never was one.";
                (StatusCode::NOT_FOUND, "No such session", detail.into())
            }
            Self::SessionReplaced => {
                let detail =
                    "A login has given the session a new id. Nothing was done: repeat the request with the new one.";
                (StatusCode::CONFLICT, "The session has a new id", detail.into())
            }
            Self::NotFound => {
                let detail = "The session has no such task: it was never begun, or has ended.";
                (StatusCode::NOT_FOUND, "No such task", detail.into())
            }
            Self::Unavailable => {
                let detail = "The task cannot be found at this moment. It goes on: try again in a second.";
                (StatusCode::SERVICE_UNAVAILABLE, "Task temporarily unavailable", detail.into())
            }
        }
    }

    /// After how many seconds another try may succeed.
    pub(crate) const fn retry_seconds(self) -> Option<u16> {
        match self {
            Self::TooManyOfPod => Some(5),
            Self::Unavailable => Some(1),
            Self::NotReceived(_)
            | Self::NotAnObject
            | Self::WrongType { .. }
            | Self::Invalid(_)
            | Self::TooManyOfSession
            | Self::NoSuchSession
            | Self::SessionReplaced
            | Self::NotFound => None,
        }
    }
}
