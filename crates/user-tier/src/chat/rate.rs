//! How fast one browser may talk.

use std::time::Duration;

use tokio::time::Instant;

/// How many texts come at once, at most.
const BURST: u32 = 5;

/// In the long run: one text in this time.
const PAUSE: Duration = Duration::from_secs(1);

/// The texts of one WebSocket.
#[derive(Debug)]
pub(super) struct Rate {
    /// When the burst is unused again.
    recovered_at: Instant,
}

impl Rate {
    pub(super) const fn new(now: Instant) -> Self {
        Self { recovered_at: now }
    }

    /// Whether one more text may come, which counts it.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        let recovered_at = self.recovered_at.max(now) + PAUSE;
        let admits = recovered_at <= now + PAUSE * BURST;
        if admits {
            self.recovered_at = recovered_at;
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_a_second() {
        let now = Instant::now();
        let mut rate = Rate::new(now);
        assert!((0..BURST).all(|_| rate.admits(now)));
        assert!(!rate.admits(now));
        assert!(rate.admits(now + PAUSE));
        assert!(!rate.admits(now + PAUSE));
    }
}
