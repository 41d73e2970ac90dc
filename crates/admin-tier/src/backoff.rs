//! How long to wait before a pod, or an API, is tried again after a failure: longer each time, up to a cap, and never all
//! at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(5);

/// The pauses between tries.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next pause: between half and all of what doubling gives, the cap included.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let full = FIRST.saturating_mul(2_u32.saturating_pow(self.tries)).min(CAP);
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
        let pauses: Vec<_> = (0..100).map(|_| backoff.next_pause()).collect();
        assert!(pauses[0] <= FIRST && pauses[0] >= FIRST / 2);
        assert!(pauses.iter().all(|pause| *pause <= CAP));
        assert!(pauses[20..].iter().all(|pause| *pause >= CAP / 2));
        let distinct: std::collections::HashSet<_> = pauses[20..].iter().collect();
        assert!(distinct.len() > 1, "no jitter");
    }
}
