//! How fast a client may send what costs the service work and brings it nothing: pings, pongs, and messages that are ignored.

use std::time::Duration;

use tokio::time::Instant;

/// How many come at once, at most.
const BURST: u32 = 1_000;

/// How many come in the long run: one in this time.
const PAUSE: Duration = Duration::from_millis(2);

/// Delays reading from a client that sends too fast. Nothing is lost: the client has to wait.
#[derive(Debug)]
pub(super) struct Throttle {
    /// When the burst is unused again.
    recovered_at: Instant,
}

impl Throttle {
    pub(super) const fn new(now: Instant) -> Self {
        Self { recovered_at: now }
    }

    /// Counts one.
    pub(super) fn count(&mut self, now: Instant) {
        self.recovered_at = self.recovered_at.max(now) + PAUSE;
    }

    /// When reading may go on; `None` at once.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        let until = self.recovered_at.checked_sub(PAUSE * BURST)?;
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_a_flood_is_slowed_to_the_rate() {
        let now = Instant::now() + PAUSE * BURST * 2;
        let mut throttle = Throttle::new(now);
        (0..BURST).for_each(|_| throttle.count(now));
        assert_eq!(throttle.until(now), None);
        throttle.count(now);
        assert_eq!(throttle.until(now), Some(now + PAUSE));
        assert_eq!(throttle.until(now + PAUSE), None, "a pause later one more may come");
    }
}
