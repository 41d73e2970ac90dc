//! Whether a pod lists as many sessions as it counts.
//!
//! The two numbers may differ for a moment: a pod sends its count at once and its sessions within two seconds. So the number
//! of listed sessions is compared with all counts of the last seconds, and only a lasting difference counts. The pod's
//! snapshot is then requested again, at growing intervals: a pod that counts wrong would otherwise send all its sessions all
//! the time.

use std::time::Duration;

use session_domain::Timestamp;

/// A count is compared for at least this long, and at most twice as long.
const WINDOW: Duration = Duration::from_secs(2);

/// A difference counts after this time.
const LASTING_AFTER: Duration = Duration::from_secs(2);

/// The first and the longest interval between two requests for a snapshot.
const MIN_RELIST_INTERVAL: Duration = Duration::from_secs(5);
const MAX_RELIST_INTERVAL: Duration = Duration::from_secs(300);

/// The range of some numbers.
#[derive(Clone, Copy, Debug)]
struct Range {
    least: u64,
    greatest: u64,
}

impl Range {
    const fn of(number: u64) -> Self {
        Self { least: number, greatest: number }
    }

    fn widen(&mut self, number: u64) {
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
    }
}

/// The recent counts of a pod, and since when they differ from the number of listed sessions.
#[derive(Debug, Default)]
pub(crate) struct CountCheck {
    counted: Option<Counted>,
    differs_since: Option<Timestamp>,
    /// When the snapshot may be requested again, and the interval after that.
    next_relist: Option<(Timestamp, Duration)>,
}

#[derive(Debug)]
struct Counted {
    /// The counts in the current window, and in the one before.
    now: Range,
    before: Range,
    last: u64,
    window_began: Timestamp,
}

impl CountCheck {
    /// Forgets the counts: the pod is no longer reachable.
    pub(crate) fn reset(&mut self) {
        self.counted = None;
        self.differs_since = None;
    }

    /// Records a count of the pod.
    pub(crate) fn record(&mut self, number: u64, now: Timestamp) {
        match &mut self.counted {
            Some(counted) => {
                counted.roll(now);
                counted.now.widen(number);
                counted.last = number;
            }
            None => {
                let range = Range::of(number);
                self.counted = Some(Counted { now: range, before: range, last: number, window_began: now });
            }
        }
    }

    /// Compares the counts with the number of listed sessions. Returns the last count if the difference lasts.
    pub(crate) fn compare(&mut self, listed: u64, now: Timestamp) -> Option<u64> {
        let counted = self.counted.as_mut()?;
        counted.roll(now);
        let least = counted.now.least.min(counted.before.least);
        let greatest = counted.now.greatest.max(counted.before.greatest);
        if (least..=greatest).contains(&listed) {
            self.differs_since = None;
            // Numbers may agree by chance for a moment: that does not reset the interval.
            if self.next_relist.is_some_and(|(at, pause)| at.plus(pause) <= now) {
                self.next_relist = None;
            }
            return None;
        }
        let since = *self.differs_since.get_or_insert(now);
        (since.plus(LASTING_AFTER) <= now).then_some(counted.last)
    }

    /// Whether the snapshot must be requested now. Returns `true` once an interval.
    pub(crate) fn take_relist(&mut self, now: Timestamp) -> bool {
        let pause = match self.next_relist {
            Some((at, _)) if at > now => return false,
            Some((_, pause)) => pause,
            None => MIN_RELIST_INTERVAL,
        };
        self.next_relist = Some((now.plus(pause), (pause * 2).min(MAX_RELIST_INTERVAL)));
        true
    }
}

impl Counted {
    fn roll(&mut self, now: Timestamp) {
        let passed = now.since(self.window_began);
        if passed < WINDOW {
            return;
        }
        let last = Range::of(self.last);
        self.before = if passed < WINDOW * 2 { self.now } else { last };
        self.now = last;
        self.window_began = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_difference_counts_once_it_lasts_and_until_it_ends() {
        let mut check = CountCheck::default();
        check.record(2, at(0));
        assert_eq!(check.compare(1, at(0)), None);
        assert_eq!(check.compare(1, at(1_999)), None);
        assert_eq!(check.compare(1, at(2_000)), Some(2));
        assert_eq!(check.compare(1, at(60_000)), Some(2));
        assert_eq!(check.compare(2, at(60_001)), None);
        assert_eq!(check.compare(1, at(60_002)), None, "a new difference begins");
    }

    #[test]
    fn a_pod_that_counts_wrong_is_asked_for_its_list_at_growing_intervals() {
        let mut check = CountCheck::default();
        let requested: Vec<_> = (0..2_000).filter(|second| check.take_relist(at(second * 1_000))).collect();
        assert_eq!(requested, [0, 5, 15, 35, 75, 155, 315, 615, 915, 1_215, 1_515, 1_815]);
    }

    proptest! {
        #[test]
        fn a_list_that_follows_the_count_within_two_seconds_never_differs(
            steps in prop::collection::vec((0..200_u64, 1..1_000_i64), 1..100), behind in 1..2_000_i64,
        ) {
            let (mut check, mut now, mut counts) = (CountCheck::default(), 0, vec![(0, 0)]);
            check.record(0, at(0));
            for (number, later) in steps {
                // The list is as long as the count of `behind` milliseconds ago; it is compared ten times a second.
                let until = now + later;
                while now < until {
                    now = (now + 100).min(until);
                    let listed = counts.iter().rev().find(|(when, _)| *when <= (now - behind).max(0)).unwrap().1;
                    prop_assert_eq!(check.compare(listed, at(now)), None);
                }
                check.record(number, at(now));
                counts.push((now, number));
            }
        }

        #[test]
        fn a_list_that_stays_incomplete_is_always_found(
            numbers in prop::collection::vec(50..60_u64, 1..50), missing in 11..40_u64,
        ) {
            let mut check = CountCheck::default();
            let mut found = None;
            let count = numbers.len() as i64;
            for (step, number) in (0_i64..).zip(numbers) {
                check.record(number, at(step * 250));
                found = check.compare(number - missing, at(step * 250));
            }
            prop_assert_eq!(found.is_some(), (count - 1) * 250 >= 2_000);
        }
    }
}
