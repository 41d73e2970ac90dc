//! The limits that a registry keeps its sessions to.

use std::time::Duration;

/// The longest time that a session counts as present after its last request while its cookie has not come back.
pub const UNCONFIRMED_LINGER: Duration = Duration::from_secs(5);

/// The idle time after which a session expires whose cookie never came back.
pub const UNCONFIRMED_TTL: Duration = Duration::from_secs(60);

/// Limits the number of sessions, and says how long idle sessions live and count as present.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The greatest number of sessions held (`MAX_SESSIONS`).
    pub max_sessions: u64,
    /// The idle time after which a session without an open connection expires (`SESSION_TTL`).
    pub session_ttl: Duration,
    /// How long a session that had a stream counts as present after its last connection closed (`PRESENCE_LINGER`).
    pub presence_linger: Duration,
    /// How long a session that never had a stream counts as present after its last request (`STREAMLESS_LINGER`). Until
    /// its cookie has come back, at most [`UNCONFIRMED_LINGER`].
    pub streamless_linger: Duration,
}

impl Default for Limits {
    /// 100,000 sessions, 1 h, 10 s and 60 s.
    fn default() -> Self {
        Self {
            max_sessions: 100_000,
            session_ttl: Duration::from_secs(3600),
            presence_linger: Duration::from_secs(10),
            streamless_linger: Duration::from_secs(60),
        }
    }
}
