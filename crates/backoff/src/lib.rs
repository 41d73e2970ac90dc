//! How long to wait before a failed attempt is repeated: exponential back-off with a cap and jitter.
//!
//! A crate of its own, without dependencies on a runtime: the maintenance switch, the Kubernetes client and the links of
//! the admin tier use it, and none of them should bring the others along.

use std::time::Duration;

/// The pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    attempts: u32,
}

impl Default for Backoff {
    /// Pauses from 200 ms to 5 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }
}

impl Backoff {
    /// Pauses that begin at `first` and never exceed `cap`.
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, attempts: 0 }
    }

    /// Returns the next pause, and doubles the one after it up to the cap. Jitter takes up to half of a pause away.
    pub fn next_pause(&mut self) -> Duration {
        let full = self.first.saturating_mul(2_u32.saturating_pow(self.attempts)).min(self.cap);
        self.attempts = self.attempts.saturating_add(1);
        full.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Begins again at the first pause, after an attempt that succeeded.
    pub const fn reset(&mut self) {
        self.attempts = 0;
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
    fn ten_minutes_of_immediate_failures_are_a_few_hundred_attempts() {
        let mut backoff = Backoff::default();
        let mut spent = Duration::ZERO;
        let mut attempts = 0;
        while spent < Duration::from_secs(600) {
            spent += backoff.next_pause();
            attempts += 1;
        }
        assert!((100..300).contains(&attempts), "{attempts}");
    }

    #[test]
    fn a_reset_begins_again_at_the_first_pause() {
        let mut backoff = Backoff::default();
        for _ in 0..20 {
            backoff.next_pause();
        }
        backoff.reset();
        assert!(backoff.next_pause() <= backoff.first);
    }
}
