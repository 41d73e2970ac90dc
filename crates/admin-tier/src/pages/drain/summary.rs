//! A drain as a whole: its figures, and the number of present sessions as a chart and as a table.

use askama::Template;
use fleet::{DrainEnd, DrainRecord};
use session_domain::Timestamp;

use super::drain_chart::DrainChart;
use crate::format;
use crate::pages::history::DrainRow;
use crate::pages::relative_time::TimeRendering;

/// A drain as a whole.
#[derive(Template)]
#[template(path = "drain/summary.html")]
pub(super) struct DrainSummary {
    row: DrainRow,
    chart: Option<DrainChart>,
    /// When half of the present sessions had gone, and when all had.
    half_after: Option<String>,
    all_after: Option<String>,
    /// The time from the start to the deadline.
    given: Option<String>,
    /// The table: time after the start, and present sessions.
    points: Vec<(String, u64)>,
    /// How many sessions are listed, and how many are only counted.
    listed: usize,
    unlisted: u64,
}

impl DrainSummary {
    pub(super) fn new(
        drain: &DrainRecord,
        times: TimeRendering,
        now: Timestamp,
        after: &dyn Fn(Timestamp) -> String,
    ) -> Self {
        let max = drain.timeline.iter().map(|(_, present)| *present).max().unwrap_or(0);
        let half = drain.timeline.iter().find(|(_, present)| max > 0 && *present <= max / 2);
        // The chart of a drain that is over ends when no session was present: later events do not show in it.
        let end = drain.emptied_at.or(drain.end.map(DrainEnd::at)).unwrap_or(now);
        Self {
            row: DrainRow::new(drain, times),
            chart: DrainChart::new(&drain.timeline, drain.deadline, end),
            half_after: half.map(|(at, _)| after(*at)),
            all_after: drain.emptied_at.filter(|_| max > 0).map(after),
            given: drain.deadline.map(|deadline| format::duration(deadline.since(drain.started_at))),
            points: drain.timeline.iter().map(|(at, present)| (after(*at), *present)).collect(),
            listed: drain.named_sessions.len(),
            unlisted: drain.total().saturating_sub(drain.named_sessions.len() as u64),
        }
    }
}
