//! Links that sign in once, for a tier without `ADMIN_TOKEN`: an operator who can read the log may use them.
//!
//! At most one link is issued a minute, and each expires after [`LINK_LIFETIME`]. Older links stay valid when another is
//! issued: otherwise a client that keeps asking for links would invalidate every link before it is used.

use std::time::{Duration, Instant};

use http_support::Token;
use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

/// How long a link is valid.
pub(super) const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The shortest time between two links.
const ISSUE_INTERVAL: Duration = Duration::from_secs(60);

/// The links that are valid now.
#[derive(Debug, Default)]
pub(super) struct OneTimeLinks(Mutex<IssuedLinks>);

#[derive(Debug, Default)]
struct IssuedLinks {
    /// Each with the time when it expires.
    valid: Vec<(Token, Instant)>,
    last_issued: Option<Instant>,
}

impl OneTimeLinks {
    /// Issues a link and returns its secret; `None` where the last one was issued too recently.
    pub(super) fn issue(&self, now: Instant) -> Option<String> {
        let mut issued = self.issued(now);
        if issued.last_issued.is_some_and(|last| now.duration_since(last) < ISSUE_INTERVAL) {
            return None;
        }
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        issued.valid.push((Token::new(&secret)?, now + LINK_LIFETIME));
        issued.last_issued = Some(now);
        Some(secret)
    }

    /// Returns the time until another link can be issued; zero where that is now.
    pub(super) fn time_until_next(&self, now: Instant) -> Duration {
        let last = self.issued(now).last_issued;
        last.map_or(Duration::ZERO, |last| ISSUE_INTERVAL.saturating_sub(now.saturating_duration_since(last)))
    }

    /// Returns whether a link is valid. This does not use it up: mail and chat programs open links to preview them.
    pub(super) fn is_valid(&self, secret: &str, now: Instant) -> bool {
        self.issued(now).valid.iter().any(|(link, _)| link.matches(secret))
    }

    /// Uses a link up; returns whether it was valid.
    pub(super) fn redeem(&self, secret: &str, now: Instant) -> bool {
        let mut issued = self.issued(now);
        let found = issued.valid.iter().position(|(link, _)| link.matches(secret));
        found.map(|index| issued.valid.swap_remove(index)).is_some()
    }

    /// Locks the links, after removing expired ones.
    fn issued(&self, now: Instant) -> MutexGuard<'_, IssuedLinks> {
        let mut issued = self.0.lock();
        issued.valid.retain(|(_, expires)| *expires > now);
        issued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_expires() {
        let (links, now) = (OneTimeLinks::default(), Instant::now());
        let first = links.issue(now).unwrap();
        assert!(links.is_valid(&first, now) && links.is_valid(&first, now), "checking a link does not use it up");
        assert!(!links.redeem("another", now) && !links.redeem("", now));
        assert!(links.redeem(&first, now) && !links.redeem(&first, now) && !links.is_valid(&first, now));
        let second = links.issue(now + ISSUE_INTERVAL).unwrap();
        assert_ne!(first, second);
        assert!(!links.redeem(&second, now + ISSUE_INTERVAL + LINK_LIFETIME));
    }

    #[test]
    fn one_link_is_issued_a_minute_and_older_links_stay_valid() {
        let (links, start) = (OneTimeLinks::default(), Instant::now());
        let first = links.issue(start).unwrap();
        assert_eq!(links.issue(start + ISSUE_INTERVAL - Duration::from_millis(1)), None);
        let waits =
            [0, 59, 60, 90].map(|seconds| links.time_until_next(start + Duration::from_secs(seconds)).as_secs());
        assert_eq!(waits, [60, 1, 0, 0]);
        for minute in 1..14 {
            assert!(links.issue(start + ISSUE_INTERVAL * minute).is_some());
        }
        assert!(links.redeem(&first, start + ISSUE_INTERVAL * 14));
        assert!(links.issued(start + ISSUE_INTERVAL * 1000).valid.is_empty(), "expired links are removed");
    }
}
