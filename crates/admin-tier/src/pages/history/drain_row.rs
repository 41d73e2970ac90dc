//! A drain in one row: in the list of drains, and at the head of its own page.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use fleet::{DrainEnd, DrainRecord, HandoffSummary};
use session_domain::Outcome;
use session_domain::lifecycle::Reason;

use crate::format;
use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// A drain.
#[derive(Template)]
#[template(path = "history/drain_row.html")]
pub(in crate::pages) struct DrainRow {
    pub(in crate::pages) id: String,
    pub(in crate::pages) pod: String,
    href: String,
    pub(in crate::pages) reason: &'static str,
    pub(in crate::pages) started_at: RelativeTime,
    duration: DrainDuration,
    pub(in crate::pages) numbers: Numbers,
    /// How many sessions were asked to move and how long that took, where any were.
    pub(in crate::pages) handoff: Option<HandoffTimes>,
    /// How it ended, and the CSS class of that text.
    pub(in crate::pages) end_text: &'static str,
    pub(in crate::pages) class: &'static str,
    /// Whether this tier did not see the beginning.
    pub(in crate::pages) is_partial: bool,
}

/// How long a drain took, or has taken so far.
enum DrainDuration {
    Whole(String),
    SoFar(RelativeTime),
}

impl fmt::Display for DrainDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(text) => f.write_str(text),
            Self::SoFar(time) => time.fmt(f),
        }
    }
}

/// Consists of digits and fixed words only.
impl HtmlSafe for DrainDuration {}

impl DrainRow {
    pub(in crate::pages) fn new(drain: &DrainRecord, times: TimeRendering) -> Self {
        let (end_text, class) = end(drain);
        Self {
            id: format!("drain-{}-{}", drain.pod, drain.started_at.as_millis()),
            pod: drain.pod.to_string(),
            href: format!("/admin/history/drain?{}", drain_query(drain)),
            reason: match drain.reason {
                Reason::Shutdown => "shutdown",
                Reason::Maintenance => "maintenance",
            },
            started_at: RelativeTime::clock(drain.started_at),
            duration: duration(drain, times),
            numbers: Numbers::new(drain),
            handoff: drain.handoff().map(|handoff| HandoffTimes::new(&handoff, drain)),
            end_text,
            class,
            is_partial: drain.is_partial,
        }
    }
}

/// The handoff of a drain.
pub(in crate::pages) struct HandoffTimes {
    pub(in crate::pages) asked: u64,
    /// The sessions that got the notice.
    pub(in crate::pages) notified: u64,
    /// The sessions that were released at the end of the countdown.
    pub(in crate::pages) released: u64,
    /// The time from the signal to the last session that moved while users were there.
    pub(in crate::pages) last_moved_after: Option<String>,
    /// The times from the ask to the move: of half of the sessions, and of the slowest.
    pub(in crate::pages) median: Option<String>,
    pub(in crate::pages) longest: Option<String>,
}

impl HandoffTimes {
    fn new(handoff: &HandoffSummary, drain: &DrainRecord) -> Self {
        let HandoffSummary { asked, notified, released, last_moved_at, median, longest } = *handoff;
        Self {
            asked,
            notified,
            released,
            last_moved_after: last_moved_at.map(|at| format::duration(at.since(drain.measured_from()))),
            median: median.map(format::duration),
            longest: longest.map(format::duration),
        }
    }
}

/// The numbers of a drain. `present` is the sum of all others except `idle`.
#[derive(Debug)]
pub(in crate::pages) struct Numbers {
    pub(in crate::pages) present: u64,
    /// Sessions that their users signed out.
    pub(in crate::pages) signed_out: u64,
    /// Sessions that their page signed out at the end of the countdown.
    pub(in crate::pages) signed_out_by_page: u64,
    pub(in crate::pages) forced: u64,
    pub(in crate::pages) moved: u64,
    /// Sessions whose pages were all closed; the pod has dropped them or still holds them.
    pub(in crate::pages) closed: u64,
    pub(in crate::pages) unknown: u64,
    pub(in crate::pages) remaining: u64,
    pub(in crate::pages) idle: u64,
}

impl Numbers {
    fn new(drain: &DrainRecord) -> Self {
        Self {
            present: drain.total(),
            signed_out: drain.departures(Outcome::Logout),
            signed_out_by_page: drain.departures(Outcome::AutoLogout),
            forced: drain.departures(Outcome::Forced),
            moved: drain.departures(Outcome::Moved),
            closed: drain.departures(Outcome::Expired) + drain.away(),
            unknown: drain.outcome_unknown(),
            remaining: drain.remaining(),
            idle: drain.idle(),
        }
    }
}

/// Returns how a drain ended, and the CSS class. "Left in time" excludes sessions that the page or the pod ended, and
/// sessions whose end is not known.
fn end(drain: &DrainRecord) -> (&'static str, &'static str) {
    let Numbers { present, signed_out_by_page, forced, moved, unknown, remaining, .. } = Numbers::new(drain);
    match drain.end {
        None => ("runs", "draining"),
        Some(DrainEnd::Cancelled(_)) => ("cancelled", "waiting"),
        Some(DrainEnd::Lost(_)) => ("pod was lost", "unreachable"),
        Some(DrainEnd::Completed(_)) if forced > 0 => ("some were forced", "unreachable"),
        Some(DrainEnd::Completed(_)) if signed_out_by_page > 0 => ("some were signed out by the page", "unreachable"),
        Some(DrainEnd::Completed(_)) if unknown > 0 => ("some ends are not known", "unreachable"),
        Some(DrainEnd::Completed(_)) if remaining > 0 => ("countdown over", "draining"),
        Some(DrainEnd::Completed(_)) if present == 0 => ("no user was present", "serving"),
        Some(DrainEnd::Completed(_)) if moved == present => ("all sessions moved", "serving"),
        Some(DrainEnd::Completed(_)) if moved > 0 => ("all users left or moved in time", "serving"),
        Some(DrainEnd::Completed(_)) => ("all users left in time", "serving"),
    }
}

/// Returns the time from the beginning until no session was present, or the drain ended, or now.
fn duration(drain: &DrainRecord, times: TimeRendering) -> DrainDuration {
    let start = drain.measured_from();
    match drain.emptied_at.or(drain.end.map(DrainEnd::at)) {
        Some(until) => DrainDuration::Whole(format::duration(until.since(start))),
        None => DrainDuration::SoFar(times.lasting(start)),
    }
}

/// Returns the query string that identifies a drain on every replica of this tier: its pod and its beginning.
pub(in crate::pages) fn drain_query(drain: &DrainRecord) -> String {
    let started = drain.started_at.as_millis().to_string();
    serde_urlencoded::to_string([("pod", drain.pod.as_str()), ("started", &started)]).unwrap_or_default()
}
