//! What people are told, on the wire: the payload of the `drain` event, and the state that every stream watches.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use session_domain::Timestamp;
use session_domain::lifecycle::{Notice, Reason};

use crate::events::frame;

/// The payload of the `drain` event, true at the moment it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrainNotice {
    /// `shutdown` or `maintenance`.
    pub reason: &'static str,
    /// What to show.
    pub message: String,
    /// Whole seconds left, rounded up.
    pub countdown: u64,
    /// Milliseconds left.
    pub remaining_ms: u64,
    /// When who is left is signed out.
    pub forced_logout_at: Timestamp,
    /// The server's time, for clients whose clock is wrong.
    pub server_time: Timestamp,
    /// Whether the browser leaves by itself at the end.
    pub auto_logout: bool,
}

impl DrainNotice {
    pub(crate) fn new(notice: &Notice, auto_logout: bool, now: Timestamp) -> Self {
        let remaining = notice.remaining(now);
        Self {
            reason: notice.reason.as_str(),
            message: message(notice.reason, remaining),
            countdown: remaining.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
            remaining_ms: millis(remaining),
            forced_logout_at: notice.deadline,
            server_time: now,
            auto_logout,
        }
    }
}

fn message(reason: Reason, remaining: Duration) -> String {
    match reason {
        Reason::Shutdown => {
            let seconds = (remaining.as_millis() + 500) / 1000;
            format!("Server shutting down in {seconds}s. Please save your work and logout.")
        }
        Reason::Maintenance => "Maintenance mode activated. Please save your work and logout.".to_owned(),
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What every stream is to show, kept in one watch channel.
#[derive(Clone, Debug)]
pub(crate) enum Broadcast {
    /// No banner.
    Quiet,
    /// A countdown runs. The frame was encoded once, for all who were there.
    Running { notice: Notice, frame: Bytes },
    /// A countdown was taken back.
    Cancelled { frame: Bytes },
}

impl Broadcast {
    pub(crate) fn running(notice: Notice, auto_logout: bool, now: Timestamp) -> Arc<Self> {
        let frame = frame("drain", &DrainNotice::new(&notice, auto_logout, now));
        Arc::new(Self::Running { notice, frame })
    }

    pub(crate) fn cancelled(reason: Reason, now: Timestamp) -> Arc<Self> {
        #[derive(Serialize)]
        struct Cancelled {
            reason: &'static str,
            server_time: Timestamp,
        }
        Arc::new(Self::Cancelled {
            frame: frame("drain-cancelled", &Cancelled { reason: reason.as_str(), server_time: now }),
        })
    }

    pub(crate) fn notice(&self) -> Option<&Notice> {
        match self {
            Self::Running { notice, .. } => Some(notice),
            Self::Quiet | Self::Cancelled { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_rounds_and_the_countdown_rounds_up() {
        for (left_ms, message_seconds, countdown) in [(60_000, 60, 60), (59_400, 59, 60), (59_600, 60, 60), (0, 0, 0)] {
            let text = message(Reason::Shutdown, Duration::from_millis(left_ms));
            assert_eq!(text, format!("Server shutting down in {message_seconds}s. Please save your work and logout."));
            assert_eq!(left_ms.div_ceil(1000), countdown);
        }
    }
}
