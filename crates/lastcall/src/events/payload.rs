//! The payloads of the events on a stream, but for `drain` ([`crate::notice`]).

use serde::Serialize;
use session_domain::{PodName, SessionId, Timestamp};

use crate::notice::DrainNotice;

/// `connected`: the first event of every stream.
#[derive(Serialize)]
pub(super) struct Connected<'a> {
    pub(super) session_id: SessionId,
    pub(super) pod: &'a PodName,
    pub(super) server_time: Timestamp,
    pub(super) heartbeat_ms: u64,
    pub(super) drain: Option<&'a DrainNotice>,
}

/// `session-ended`: the stream ends with it.
#[derive(Serialize)]
pub(super) struct SessionEnded {
    pub(super) reason: &'static str,
    pub(super) server_time: Timestamp,
}

/// `stream-ended`: the stream ends with it, and the session goes on.
#[derive(Serialize)]
pub(super) struct StreamEnded {
    pub(super) reason: &'static str,
}

/// `heartbeat`.
#[derive(Serialize)]
pub(super) struct Heartbeat {
    pub(super) server_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remaining_ms: Option<u64>,
}
