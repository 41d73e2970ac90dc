//! A drain in one line: on the list, and at the head of its own page.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use session_domain::Outcome;
use session_domain::fleet::{DrainEnd, DrainRecord};
use session_domain::lifecycle::Reason;

use super::super::words::{self, Moment, Words};

/// A drain.
#[derive(Template)]
#[template(path = "history/line.html")]
pub(in crate::pages) struct Line {
    pub(in crate::pages) id: String,
    pub(in crate::pages) pod: String,
    href: String,
    pub(in crate::pages) why: &'static str,
    pub(in crate::pages) began: Moment,
    /// How long it took, or has taken so far.
    pub(in crate::pages) took: Took,
    pub(in crate::pages) people: u64,
    /// Who logged out, and whose browser did.
    pub(in crate::pages) in_time: u64,
    pub(in crate::pages) forced: u64,
    pub(in crate::pages) moved: u64,
    pub(in crate::pages) expired: u64,
    pub(in crate::pages) untold: u64,
    pub(in crate::pages) left: u64,
    /// How it ended, in words, and the class that colours them.
    pub(in crate::pages) end: &'static str,
    pub(in crate::pages) class: &'static str,
    /// Whether it was under way before it was seen.
    pub(in crate::pages) is_partial: bool,
}

/// How long a drain took: a time that stands, or one that runs.
pub(in crate::pages) enum Took {
    /// It is over.
    Whole(String),
    /// It runs.
    SoFar(Moment),
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(text) => f.write_str(text),
            Self::SoFar(moment) => moment.fmt(f),
        }
    }
}

/// Made of digits and words of ours alone.
impl HtmlSafe for Took {}

impl Line {
    pub(in crate::pages) fn new(drain: &DrainRecord, words: Words) -> Self {
        let (end, class) = end(drain);
        Self {
            id: format!("drain-{}-{}", drain.pod, drain.started_at.as_millis()),
            pod: drain.pod.to_string(),
            href: format!("/admin/history/drain?{}", query(drain)),
            why: match drain.reason {
                Reason::Shutdown => "shutdown",
                Reason::Maintenance => "maintenance",
            },
            began: words::clock(drain.started_at),
            took: took(drain, words),
            people: drain.people,
            in_time: drain.departures(Outcome::Logout) + drain.departures(Outcome::AutoLogout),
            forced: drain.departures(Outcome::Forced),
            moved: drain.departures(Outcome::Moved),
            expired: drain.departures(Outcome::Expired),
            untold: drain.untold(),
            left: drain.left(),
            end,
            class,
            is_partial: drain.is_partial,
        }
    }
}

fn end(drain: &DrainRecord) -> (&'static str, &'static str) {
    match drain.end {
        None => ("runs", "draining"),
        Some(DrainEnd::Over(_)) if drain.departures(Outcome::Forced) > 0 => ("some were forced", "unreachable"),
        Some(DrainEnd::Over(_)) if drain.left() == 0 => ("everybody left in time", "serving"),
        Some(DrainEnd::Over(_)) => ("countdown over", "draining"),
        Some(DrainEnd::Cancelled(_)) => ("taken back", "waiting"),
        Some(DrainEnd::Lost(_)) => ("pod was lost", "unreachable"),
    }
}

/// From the beginning until nobody was left, or it ended, or now.
fn took(drain: &DrainRecord, words: Words) -> Took {
    // By the pod's clock it began when it says, by ours when we heard of it: only one that was seen from its beginning is
    // measured by one clock.
    let from = if drain.is_partial { drain.started_at.min(drain.heard_at) } else { drain.heard_at };
    match drain.emptied_at.or(drain.end.map(DrainEnd::at)) {
        Some(until) => Took::Whole(words::duration(until.since(from))),
        None => Took::SoFar(words.lasting(from)),
    }
}

/// What names a drain, whichever replica of this tier is asked: its pod and its beginning.
pub(in crate::pages) fn query(drain: &DrainRecord) -> String {
    let started = drain.started_at.as_millis().to_string();
    serde_urlencoded::to_string([("pod", drain.pod.as_str()), ("started", &started)]).unwrap_or_default()
}
