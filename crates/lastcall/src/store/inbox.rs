//! The messages between pods: one inbox for each pod, read by that pod alone.

use session_domain::lifecycle::Reason;
use session_domain::shared::SharedTask;
use session_domain::{SessionId, TaskId};

use super::entry::OwnerRequest;

/// A message to the pod that owns sessions, or did. It says which sessions to look up; what the store says of them counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Another pod has adopted the session.
    Adopted(SessionId),
    /// Another pod has left a request in the session's entry.
    Requested(SessionId, OwnerRequest),
    /// Another pod has shown the session's user the notice that runs on its owner.
    Notified(SessionId, Reason),
    /// Requests of these sessions have come in at another pod.
    Active(Vec<SessionId>),
    /// This task of the session runs on: for the pod that runs it, which renews it, and for the owner of the session.
    Task(SessionId, SharedTask),
    /// This task of the session has ended, or is to end.
    TaskEnded(SessionId, TaskId),
    /// The session has ended for good, and its tasks with it.
    TasksCut(SessionId),
    /// The session of the first id goes on under the second.
    Renamed(SessionId, SessionId),
}

/// A position in an inbox. The messages up to it have been read.
///
/// Its text is the store's own, and has an order only there. The default is the beginning of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxPosition(Option<String>);

impl InboxPosition {
    /// The position of the message that the store calls `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Some(text.into()))
    }

    /// What the store calls the last message that was read; `None` at the beginning.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// Messages of an inbox, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxPage {
    /// The messages. One that the store cannot decode is left out: another release may have written it.
    pub messages: Vec<Message>,
    /// The position of the last message, decoded or not; `None` where there is none.
    pub last: Option<InboxPosition>,
}
