//! The events that a client is sent: their names and payloads, but for the payload of `drain` ([`crate::notice`]).

use bytes::Bytes;
use serde::Serialize;
use session_domain::{PodName, SessionId, Timestamp};

use crate::encoded_event::{EncodedEvent, EventEncoding};
use crate::notice::{DrainCancelled, DrainNotice};

/// One event.
#[derive(Debug)]
pub(crate) enum ServerEvent {
    Connected(Connected),
    Drain(DrainNotice),
    DrainCancelled(DrainCancelled),
    Move(Move),
    SessionEnded(SessionEnded),
    StreamEnded(StreamEnded),
    Heartbeat(Heartbeat),
    /// A broadcast, which is encoded already.
    Broadcast(EncodedEvent),
}

impl ServerEvent {
    /// The event in this encoding.
    pub(crate) fn encode(&self, encoding: EventEncoding) -> Bytes {
        match self {
            Self::Connected(data) => encoding.encode("connected", data),
            Self::Drain(data) => encoding.encode("drain", data),
            Self::DrainCancelled(data) => encoding.encode(DrainCancelled::NAME, data),
            Self::Move(data) => encoding.encode("move", data),
            Self::SessionEnded(data) => encoding.encode("session-ended", data),
            Self::StreamEnded(data) => encoding.encode("stream-ended", data),
            Self::Heartbeat(data) => encoding.encode("heartbeat", data),
            Self::Broadcast(event) => event.bytes(encoding),
        }
    }
}

/// `connected`: the first event, and one after each login.
#[derive(Debug, Serialize)]
pub(crate) struct Connected {
    pub(super) session_id: SessionId,
    pub(super) pod: PodName,
    pub(super) server_time: Timestamp,
    pub(super) heartbeat_ms: u64,
    pub(super) drain: Option<DrainNotice>,
}

/// `move`: the client closes the stream and opens it again, so that another pod adopts the session.
#[derive(Debug, Serialize)]
pub(crate) struct Move {
    pub(super) reason: &'static str,
    pub(super) forced_logout_at: Timestamp,
    pub(super) remaining_ms: u64,
    pub(super) server_time: Timestamp,
}

/// `session-ended`: the last event.
#[derive(Debug, Serialize)]
pub(crate) struct SessionEnded {
    pub(super) reason: &'static str,
    pub(super) server_time: Timestamp,
}

/// `stream-ended`: the last event, and the session goes on.
#[derive(Debug, Serialize)]
pub(crate) struct StreamEnded {
    pub(super) reason: &'static str,
}

/// `heartbeat`.
#[derive(Debug, Serialize)]
pub(crate) struct Heartbeat {
    pub(super) server_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remaining_ms: Option<u64>,
}
