//! The recent history of the fleet: sessions and departures, in intervals of some seconds. For a chart, not for accounting.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use session_domain::{Outcome, Timestamp};

/// The time between two points.
pub const TREND_INTERVAL: Duration = Duration::from_secs(15);

/// The number of points that are kept: half an hour.
const MAX_POINTS: usize = 120;

/// What happened in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrendPoint {
    /// The end of the interval.
    pub at: Timestamp,
    /// Sessions at its end, present or not.
    pub sessions: u64,
    /// Sessions that were present at its end.
    pub present: u64,
    /// Sessions that ended in it, forced ones included, moved ones excluded.
    pub departures: u64,
    /// Sessions that were force-closed in it.
    pub forced: u64,
    /// Sessions that the browser signed out in it, at the end of a countdown.
    pub auto_logouts: u64,
}

/// The points so far. Views share them until the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trend {
    points: Arc<VecDeque<TrendPoint>>,
    /// What happened since the last point.
    since: TrendPoint,
}

impl Trend {
    pub(crate) fn points(&self) -> impl ExactSizeIterator<Item = &TrendPoint> {
        self.points.iter()
    }

    pub(crate) fn count(&mut self, outcome: Outcome) {
        let TrendPoint { departures, forced, auto_logouts, .. } = &mut self.since;
        *departures += u64::from(outcome != Outcome::Moved);
        *forced += u64::from(outcome == Outcome::Forced);
        *auto_logouts += u64::from(outcome == Outcome::AutoLogout);
    }

    /// Records a point if one is due. Returns whether it was.
    pub(crate) fn record(&mut self, sessions: u64, present: u64, now: Timestamp) -> bool {
        // After the clock was set back, a point is due at once.
        let is_due = self.points.back().is_none_or(|last| now < last.at || now.since(last.at) >= TREND_INTERVAL);
        if !is_due {
            return false;
        }
        let points = Arc::make_mut(&mut self.points);
        points.retain(|point| point.at <= now);
        points.push_back(TrendPoint { at: now, sessions, present, ..std::mem::take(&mut self.since) });
        if points.len() > MAX_POINTS {
            points.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_departure_is_counted_in_its_interval_and_the_oldest_point_is_dropped() {
        let mut trend = Trend::default();
        assert!(trend.record(5, 4, at(0)));
        for outcome in [Outcome::Logout, Outcome::AutoLogout, Outcome::Forced, Outcome::Moved] {
            trend.count(outcome);
        }
        assert!(!trend.record(3, 3, at(14)));
        assert!(trend.record(3, 1, at(15)));
        assert!(trend.record(3, 0, at(30)));
        let numbers =
            |point: &TrendPoint| (point.sessions, point.present, point.departures, point.forced, point.auto_logouts);
        let points: Vec<_> = trend.points().map(numbers).collect();
        assert_eq!(points, [(5, 4, 0, 0, 0), (3, 1, 3, 1, 1), (3, 0, 0, 0, 0)]);
        (3..200).for_each(|n| assert!(trend.record(0, 0, at(n * 15))));
        assert_eq!(trend.points().len(), MAX_POINTS);
        assert!(trend.record(1, 1, at(20)), "the clock was set back");
        assert!(trend.points().len() < MAX_POINTS);
    }
}
