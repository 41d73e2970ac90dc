//! The notice: users must leave, why, and by when.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::time::Timestamp;

/// Why users must leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The pod shuts down.
    Shutdown,
    /// Maintenance mode was turned on.
    Maintenance,
}

impl Reason {
    /// The reason as events write it: `shutdown` or `maintenance`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::Maintenance => "maintenance",
        }
    }
}

/// Identifies a notice on this pod. A shutdown that overtakes a maintenance keeps the id: it is the same notice, and no
/// session is notified twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeId(pub(crate) NonZeroU64);

/// Says that users must leave, why, and by when. A notice is state, not a message: sessions that connect while it runs are
/// notified at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Identifies the notice.
    pub id: NoticeId,
    /// Why users must leave.
    pub reason: Reason,
    /// When the countdown began.
    pub started_at: Timestamp,
    /// When the sessions that are still present are force-closed.
    pub deadline: Timestamp,
    /// Whether sessions move to other pods: a session without a stream, which cannot be notified, is not waited for.
    pub is_handoff: bool,
}

impl Notice {
    /// The time until the deadline; zero once it has passed.
    pub fn remaining(&self, now: Timestamp) -> Duration {
        self.deadline.since(now)
    }
}
