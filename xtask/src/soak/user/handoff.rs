//! When the page opens its stream again after `move`, as `crates/lastcall/assets/script/handoff.js` does.

use std::time::{Duration, Instant};

/// The page moves at a random moment within this time after it was asked, unless it retries.
pub(super) const MOVE_JITTER: Duration = Duration::from_millis(500);
/// How often the page opens the stream again at once, where it comes back to the pod that asked.
const MAX_RETRIES: u32 = 6;
/// The pace of all further attempts.
const ASK_INTERVAL: Duration = Duration::from_secs(2);

/// What the page remembers of the pod that asks it to move.
#[derive(Debug, Default)]
pub(super) struct Handoff {
    pod: String,
    retries: u32,
    last_attempt: Option<Instant>,
}

impl Handoff {
    /// The pod asks. `at_once`: the stream has led back to it, and was asked when it had only just been opened.
    /// Returns the pause before the attempt, in which the stream stays open; `None` for a retry, which is made at
    /// once.
    pub(super) fn asked(&mut self, pod: &str, at_once: bool) -> Option<Duration> {
        if !at_once && pod != self.pod {
            *self = Self { pod: pod.to_owned(), retries: MAX_RETRIES, last_attempt: None };
        }
        let now = Instant::now();
        if at_once && self.retries > 0 {
            self.retries -= 1;
            self.last_attempt = Some(now);
            return None;
        }
        let next = self.last_attempt.map_or(now, |last| last + ASK_INTERVAL).max(now);
        self.last_attempt = Some(next);
        Some(next - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_retries_follow_at_once_and_further_attempts_keep_the_pace() {
        let mut handoff = Handoff::default();
        assert_eq!(handoff.asked("user-1", false), Some(Duration::ZERO));
        for _ in 0..MAX_RETRIES {
            assert_eq!(handoff.asked("user-1", true), None);
        }
        for at_once in [true, false] {
            assert!(handoff.asked("user-1", at_once).is_some_and(|pause| pause > Duration::from_secs(1)));
        }
        assert_eq!(handoff.asked("user-2", false), Some(Duration::ZERO), "another pod asks");
    }
}
