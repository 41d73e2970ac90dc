//! What pods tell each other about sessions: one inbox for each pod, read by that pod alone.

use session_domain::SessionId;
use session_domain::lifecycle::Reason;

use super::OwnerRequest;

/// A message to the pod that owns sessions, or did. What the entry in the store says counts; a message tells where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Another pod has adopted the session.
    Adopted(SessionId),
    /// Another pod has left a request in the session's entry.
    Asked(SessionId, OwnerRequest),
    /// Another pod has shown the user of this session the notice that runs on its owner.
    Notified(SessionId, Reason),
    /// Requests of these sessions have come in at another pod.
    Active(Vec<SessionId>),
}

/// A place in an inbox: everything up to it has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(pub(super) String);

impl Default for Position {
    /// The beginning.
    fn default() -> Self {
        Self("0-0".to_owned())
    }
}

/// Messages, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    /// The messages that make sense.
    pub messages: Vec<Message>,
    /// Where they end; `None` where there are none at all.
    pub last: Option<Position>,
}
