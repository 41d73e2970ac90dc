//! Whether a pod has listed as many sessions as it counts.
//!
//! The two are never the same at every moment: a pod tells of its number at once and of its sessions within two seconds.
//! So what is listed is compared with all that the pod has counted in the last seconds, and only a difference that lasts
//! is one. Where it lasts, the pod's snapshot is asked for anew, with growing pauses: a pod that cannot count would
//! otherwise send all of its sessions all the time.

use std::time::Duration;

use session_domain::Timestamp;

/// What a pod has counted is compared for at least so long, and at most twice as long.
const WINDOW: Duration = Duration::from_secs(2);

/// A difference that lasts so long is one.
const LASTING: Duration = Duration::from_secs(2);

/// The first pause between two snapshots that are asked for, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The least and the greatest of some numbers.
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

/// What a pod counted of late, and since when that is not what it has listed.
#[derive(Debug, Default)]
pub(super) struct CountCheck {
    counted: Option<Counted>,
    differs_since: Option<Timestamp>,
    /// When the snapshot may be asked for again, and the pause after that.
    next_relist: Option<(Timestamp, Duration)>,
}

#[derive(Debug)]
struct Counted {
    /// In the window that runs, and in the one before.
    now: Range,
    before: Range,
    last: u64,
    window_began: Timestamp,
}

impl CountCheck {
    /// The pod cannot be heard any more: what it counts then is not known.
    pub(super) fn reset(&mut self) {
        self.counted = None;
        self.differs_since = None;
    }

    /// The pod counts so many.
    pub(super) fn count(&mut self, number: u64, now: Timestamp) {
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

    /// Compares with how many are listed; gives what the pod counts where that has differed for too long.
    pub(super) fn compare(&mut self, listed: u64, now: Timestamp) -> Option<u64> {
        let counted = self.counted.as_mut()?;
        counted.roll(now);
        let least = counted.now.least.min(counted.before.least);
        let greatest = counted.now.greatest.max(counted.before.greatest);
        if (least..=greatest).contains(&listed) {
            self.differs_since = None;
            // A moment's agreement by chance is none: a pod that counts wrong again soon is not asked more often for it.
            if self.next_relist.is_some_and(|(at, pause)| at.plus(pause) <= now) {
                self.next_relist = None;
            }
            return None;
        }
        let since = *self.differs_since.get_or_insert(now);
        (since.plus(LASTING) <= now).then_some(counted.last)
    }

    /// Whether the snapshot is to be asked for anew, now that the difference has lasted. Says so once in a pause.
    pub(super) fn relist(&mut self, now: Timestamp) -> bool {
        let pause = match self.next_relist {
            Some((at, _)) if at > now => return false,
            Some((_, pause)) => pause,
            None => FIRST_PAUSE,
        };
        self.next_relist = Some((now.plus(pause), (pause * 2).min(LONGEST_PAUSE)));
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
    fn a_difference_of_a_moment_is_none_and_one_that_lasts_is_told_until_it_is_gone() {
        let mut check = CountCheck::default();
        check.count(2, at(0));
        assert_eq!(check.compare(1, at(0)), None);
        assert_eq!(check.compare(1, at(1_999)), None);
        assert_eq!(check.compare(1, at(2_000)), Some(2));
        assert_eq!(check.compare(1, at(60_000)), Some(2));
        assert_eq!(check.compare(2, at(60_001)), None);
        assert_eq!(check.compare(1, at(60_002)), None, "that is another difference");
    }

    #[test]
    fn a_pod_that_cannot_count_is_asked_for_its_list_less_and_less_often() {
        let mut check = CountCheck::default();
        let asked: Vec<_> = (0..2_000).filter(|second| check.relist(at(second * 1_000))).collect();
        assert_eq!(asked, [0, 5, 15, 35, 75, 155, 315, 615, 915, 1_215, 1_515, 1_815]);
    }

    proptest! {
        #[test]
        fn a_list_that_follows_the_count_within_two_seconds_never_differs(
            steps in prop::collection::vec((0..200_u64, 1..1_000_i64), 1..100), behind in 1..2_000_i64,
        ) {
            let (mut check, mut now, mut told) = (CountCheck::default(), 0, vec![(0, 0)]);
            check.count(0, at(0));
            for (number, later) in steps {
                // The list is what was counted `behind` milliseconds ago; it is compared ten times a second.
                let until = now + later;
                while now < until {
                    now = (now + 100).min(until);
                    let listed = told.iter().rev().find(|(when, _)| *when <= (now - behind).max(0)).unwrap().1;
                    prop_assert_eq!(check.compare(listed, at(now)), None);
                }
                check.count(number, at(now));
                told.push((now, number));
            }
        }

        #[test]
        fn a_list_that_misses_some_for_good_is_always_found(
            numbers in prop::collection::vec(50..60_u64, 1..50), missing in 11..40_u64,
        ) {
            let mut check = CountCheck::default();
            let mut found = None;
            let count = numbers.len() as i64;
            for (step, number) in (0_i64..).zip(numbers) {
                check.count(number, at(step * 250));
                found = check.compare(number - missing, at(step * 250));
            }
            prop_assert_eq!(found.is_some(), (count - 1) * 250 >= 2_000);
        }
    }
}
