//! The one place where the wall clock is read: once, at the start. From then on time is that moment and what the
//! monotonic clock adds to it, so that no correction of the host's clock shortens a countdown, and a paused
//! runtime pauses everything.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_domain::Timestamp;
use tokio::time::Instant;

/// Tells the time as the domain wants it. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Timestamp,
    anchor: Instant,
}

impl Clock {
    /// Reads the wall clock, this once.
    #[allow(clippy::disallowed_methods, reason = "the one module that may read the wall clock")]
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { started: Timestamp::from_millis(0).plus(since_epoch), anchor: Instant::now() }
    }

    /// When the clock was started.
    #[cfg(feature = "introspection")]
    pub(crate) const fn started(&self) -> Timestamp {
        self.started
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.plus(self.anchor.elapsed())
    }

    /// The moment of the runtime's clock at which `time` will have come.
    pub(crate) fn instant_of(&self, time: Timestamp) -> Instant {
        self.anchor + time.since(self.started)
    }
}
