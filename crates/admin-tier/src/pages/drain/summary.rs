//! A drain as a whole: its figures, and its course as a chart, in words and in numbers.

use askama::Template;
use fleet::{DrainEnd, DrainRecord};
use session_domain::Timestamp;

use super::super::chart::Course;
use super::super::history::Line;
use super::super::words::{self, Words};

/// A drain as a whole.
#[derive(Template)]
#[template(path = "history/summary.html")]
pub(super) struct Summary {
    line: Line,
    course: Option<Course>,
    /// When half of those present had gone, and all.
    half_after: Option<String>,
    all_after: Option<String>,
    /// How long users were given.
    given: Option<String>,
    points: Vec<(String, u64)>,
    /// Sessions that stand on the list, and those that are counted only.
    named: usize,
    unnamed: u64,
}

impl Summary {
    pub(super) fn new(drain: &DrainRecord, words: Words, now: Timestamp, after: &dyn Fn(Timestamp) -> String) -> Self {
        let most = drain.timeline.iter().map(|(_, left)| *left).max().unwrap_or(0);
        let half = drain.timeline.iter().find(|(_, left)| most > 0 && *left <= most / 2);
        // One that is over goes on, on its picture, until nobody was present; what the pod did after that shows nothing.
        let end = drain.emptied_at.or(drain.end.map(DrainEnd::at)).unwrap_or(now);
        Self {
            line: Line::new(drain, words),
            course: Course::of(&drain.timeline, drain.deadline, end),
            half_after: half.map(|(at, _)| after(*at)),
            all_after: drain.emptied_at.filter(|_| most > 0).map(after),
            given: drain.deadline.map(|deadline| words::duration(deadline.since(drain.started_at))),
            points: drain.timeline.iter().map(|(at, left)| (after(*at), *left)).collect(),
            named: drain.named_sessions.len(),
            unnamed: drain.total().saturating_sub(drain.named_sessions.len() as u64),
        }
    }
}
