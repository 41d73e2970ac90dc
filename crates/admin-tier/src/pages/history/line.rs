//! A drain in one line: on the list, and at the head of its own page.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use fleet::{DrainEnd, DrainRecord};
use session_domain::Outcome;
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
    pub(in crate::pages) numbers: Numbers,
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
            numbers: Numbers::of(drain),
            end,
            class,
            is_partial: drain.is_partial,
        }
    }
}

/// The numbers of a drain. `there` is the sum of all other numbers except `idle`.
#[derive(Debug)]
pub(in crate::pages) struct Numbers {
    pub(in crate::pages) there: u64,
    /// They signed out themselves.
    pub(in crate::pages) signed_out: u64,
    /// Their page signed them out at the end of the countdown.
    pub(in crate::pages) by_page: u64,
    pub(in crate::pages) forced: u64,
    pub(in crate::pages) moved: u64,
    /// They closed every page, and their session was dropped then or is held still.
    pub(in crate::pages) closed: u64,
    pub(in crate::pages) unknown: u64,
    pub(in crate::pages) left: u64,
    pub(in crate::pages) idle: u64,
}

impl Numbers {
    fn of(drain: &DrainRecord) -> Self {
        Self {
            there: drain.total(),
            signed_out: drain.departures(Outcome::Logout),
            by_page: drain.departures(Outcome::AutoLogout),
            forced: drain.departures(Outcome::Forced),
            moved: drain.departures(Outcome::Moved),
            closed: drain.departures(Outcome::Expired) + drain.away(),
            unknown: drain.outcome_unknown(),
            left: drain.remaining(),
            idle: drain.idle(),
        }
    }
}

/// How a drain ended, in words. "Left in time" excludes sessions that the page or the pod ended, and those whose end is unknown.
fn end(drain: &DrainRecord) -> (&'static str, &'static str) {
    let Numbers { there, by_page, forced, moved, unknown, left, .. } = Numbers::of(drain);
    match drain.end {
        None => ("runs", "draining"),
        Some(DrainEnd::Cancelled(_)) => ("taken back", "waiting"),
        Some(DrainEnd::Lost(_)) => ("pod was lost", "unreachable"),
        Some(DrainEnd::Completed(_)) if forced > 0 => ("some were forced", "unreachable"),
        Some(DrainEnd::Completed(_)) if by_page > 0 => ("some were signed out by the page", "unreachable"),
        Some(DrainEnd::Completed(_)) if unknown > 0 => ("some ends are not known", "unreachable"),
        Some(DrainEnd::Completed(_)) if left > 0 => ("countdown over", "draining"),
        Some(DrainEnd::Completed(_)) if there == 0 => ("no user was there", "serving"),
        Some(DrainEnd::Completed(_)) if moved == there => ("all sessions moved", "serving"),
        Some(DrainEnd::Completed(_)) if moved > 0 => ("everybody left or moved in time", "serving"),
        Some(DrainEnd::Completed(_)) => ("everybody left in time", "serving"),
    }
}

/// From the beginning until nobody was left, or it ended, or now.
fn took(drain: &DrainRecord, words: Words) -> Took {
    // By the pod's clock it began when it says, by ours when we heard of it: only one that was seen from its beginning is
    // measured by one clock.
    let from = if drain.is_partial { drain.started_at.min(drain.first_seen_at) } else { drain.first_seen_at };
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
