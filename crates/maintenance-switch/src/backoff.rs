//! How long to wait before a failed try is made again: longer each time, up to a cap, and never all at once.

use std::time::Duration;

/// The pauses between tries.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    tries: u32,
}

impl Default for Backoff {
    /// From 200 ms to 5 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }
}

impl Backoff {
    /// Pauses that begin at `first` and never exceed `cap`.
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, tries: 0 }
    }

    /// The next pause: between half and all of what doubling gives, the cap included.
    pub fn next_pause(&mut self) -> Duration {
        let full = self.first.saturating_mul(2_u32.saturating_pow(self.tries)).min(self.cap);
        self.tries = self.tries.saturating_add(1);
        full.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_never_beyond() {
        let mut backoff = Backoff::default();
        let (first, cap) = (backoff.first, backoff.cap);
        let pauses: Vec<_> = (0..200).map(|_| backoff.next_pause()).collect();
        assert!(pauses[0] <= first && pauses[0] >= first / 2);
        assert!(pauses.iter().all(|pause| *pause <= cap));
        assert!(pauses[20..].iter().all(|pause| *pause >= cap / 2));
        let distinct: std::collections::HashSet<_> = pauses[20..].iter().collect();
        assert!(distinct.len() > 1, "no jitter");
    }

    #[test]
    fn ten_minutes_of_failing_at_once_are_some_hundred_tries() {
        let mut backoff = Backoff::default();
        let mut spent = Duration::ZERO;
        let mut tries = 0;
        while spent < Duration::from_secs(600) {
            spent += backoff.next_pause();
            tries += 1;
        }
        assert!((100..300).contains(&tries), "{tries}");
    }
}
