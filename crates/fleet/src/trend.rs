//! How the fleet went of late: sessions, and how many left, in steps of some seconds. For a glance, not for accounting.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Fleet;
use session_domain::{Outcome, Timestamp};

/// The length of a step.
pub const TREND_INTERVAL: Duration = Duration::from_secs(15);

/// Steps that are kept: half an hour.
const STEPS_KEPT: usize = 120;

/// One step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrendPoint {
    /// Its end.
    pub at: Timestamp,
    /// Sessions at its end, present or not.
    pub sessions: u64,
    /// Sessions that were present at its end.
    pub present: u64,
    /// Sessions that ended within it, forced ones among them, those that moved to another pod not.
    pub departures: u64,
    /// Sessions that were force-closed within it.
    pub forced: u64,
    /// Sessions that the browser signed out within it, at the end of a countdown.
    pub auto_logouts: u64,
}

/// The steps so far. Shared with the views until the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Trend {
    steps: Arc<VecDeque<TrendPoint>>,
    /// What happened since the last step.
    since: TrendPoint,
}

impl Trend {
    pub(super) fn points(&self) -> impl ExactSizeIterator<Item = &TrendPoint> {
        self.steps.iter()
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        let TrendPoint { departures, forced, auto_logouts, .. } = &mut self.since;
        *departures += u64::from(outcome != Outcome::Moved);
        *forced += u64::from(outcome == Outcome::Forced);
        *auto_logouts += u64::from(outcome == Outcome::AutoLogout);
    }

    /// Takes a step where it is time for one; whether it was.
    pub(super) fn pass(&mut self, sessions: u64, present: u64, now: Timestamp) -> bool {
        // A clock that was set back begins anew.
        let is_due = self.steps.back().is_none_or(|last| now < last.at || now.since(last.at) >= TREND_INTERVAL);
        if !is_due {
            return false;
        }
        let steps = Arc::make_mut(&mut self.steps);
        steps.retain(|step| step.at <= now);
        steps.push_back(TrendPoint { at: now, sessions, present, ..std::mem::take(&mut self.since) });
        if steps.len() > STEPS_KEPT {
            steps.pop_front();
        }
        true
    }
}

impl Fleet {
    /// Takes a step of how it goes, where it is time for one; whether it was.
    pub fn record_trend(&mut self, now: Timestamp) -> bool {
        let rows = self.ledger.claims.rows.shards();
        let (sessions, present) = (rows.len(), rows.present());
        self.ledger.trend.pass(sessions, present, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn who_leaves_within_a_step_is_counted_in_it_and_the_oldest_step_goes() {
        let mut trend = Trend::default();
        assert!(trend.pass(5, 4, at(0)));
        for outcome in [Outcome::Logout, Outcome::AutoLogout, Outcome::Forced, Outcome::Moved] {
            trend.count(outcome);
        }
        assert!(!trend.pass(3, 3, at(14)));
        assert!(trend.pass(3, 1, at(15)));
        assert!(trend.pass(3, 0, at(30)));
        let numbers =
            |step: &TrendPoint| (step.sessions, step.present, step.departures, step.forced, step.auto_logouts);
        let steps: Vec<_> = trend.points().map(numbers).collect();
        assert_eq!(steps, [(5, 4, 0, 0, 0), (3, 1, 3, 1, 1), (3, 0, 0, 0, 0)]);
        (3..200).for_each(|step| assert!(trend.pass(0, 0, at(step * 15))));
        assert_eq!(trend.points().len(), STEPS_KEPT);
        assert!(trend.pass(1, 1, at(20)), "the clock was set back");
        assert!(trend.points().len() < STEPS_KEPT);
    }
}
