//! Links that sign in once, for where no token is set: whoever reads the log may use them, within some minutes.
//!
//! They are few: one is issued a minute at most, and none lives longer than [`GOOD_FOR`]. An older one stays good when
//! another is issued, or whoever asks for links all the time would keep everybody from using theirs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_support::Token;
use uuid::Uuid;

/// A link may be used for so long.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(15 * 60);

/// One link is issued in so much time.
const EVERY: Duration = Duration::from_secs(60);

/// The links that are good now.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    good: Vec<(Token, Instant)>,
    last: Option<Instant>,
}

impl Links {
    /// The secret of a new link; `None` so soon after the one before.
    pub(super) fn issue(&self, now: Instant) -> Option<String> {
        let mut issued = self.issued(now);
        if issued.last.is_some_and(|last| now.duration_since(last) < EVERY) {
            return None;
        }
        let once = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        issued.good.push((Token::new(&once)?, now + GOOD_FOR));
        issued.last = Some(now);
        Some(once)
    }

    /// How long it is until another link is issued; zero where it is now.
    pub(super) fn next_in(&self, now: Instant) -> Duration {
        let last = self.issued(now).last;
        last.map_or(Duration::ZERO, |last| EVERY.saturating_sub(now.saturating_duration_since(last)))
    }

    /// Whether the link may be used. It may be looked at as often as anybody likes: mail and chat programs do.
    pub(super) fn is_good(&self, once: &str, now: Instant) -> bool {
        self.issued(now).good.iter().any(|(link, _)| link.matches(once))
    }

    /// Uses the link: `true` once.
    pub(super) fn redeem(&self, once: &str, now: Instant) -> bool {
        let mut issued = self.issued(now);
        let found = issued.good.iter().position(|(link, _)| link.matches(once));
        found.map(|at| issued.good.swap_remove(at)).is_some()
    }

    fn issued(&self, now: Instant) -> MutexGuard<'_, Issued> {
        let mut issued = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        issued.good.retain(|(_, until)| *until > now);
        issued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_once_and_not_for_ever() {
        let (links, now) = (Links::default(), Instant::now());
        let first = links.issue(now).unwrap();
        assert!(links.is_good(&first, now) && links.is_good(&first, now), "looking uses nothing up");
        assert!(!links.redeem("another", now) && !links.redeem("", now));
        assert!(links.redeem(&first, now) && !links.redeem(&first, now) && !links.is_good(&first, now));
        let second = links.issue(now + EVERY).unwrap();
        assert_ne!(first, second);
        assert!(!links.redeem(&second, now + EVERY + GOOD_FOR));
    }

    #[test]
    fn one_is_issued_a_minute_and_the_older_ones_stay_good() {
        let (links, start) = (Links::default(), Instant::now());
        let first = links.issue(start).unwrap();
        assert_eq!(links.issue(start + EVERY - Duration::from_millis(1)), None);
        let waits = [0, 59, 60, 90].map(|seconds| links.next_in(start + Duration::from_secs(seconds)).as_secs());
        assert_eq!(waits, [60, 1, 0, 0]);
        for minute in 1..14 {
            assert!(links.issue(start + EVERY * minute).is_some());
        }
        assert!(links.redeem(&first, start + EVERY * 14));
        assert!(links.issued(start + EVERY * 1000).good.is_empty(), "none is kept for ever");
    }
}
