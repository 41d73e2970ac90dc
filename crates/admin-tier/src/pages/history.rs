//! `/admin/history`: how it went of late, and what the last drains were like.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use session_domain::fleet::{DRAINS_KEPT, DrainEnd, DrainRecord, FleetView, STEP};
use session_domain::lifecycle::Reason;
use session_domain::{Outcome, Timestamp};

use super::chart::Spark;
use super::{Frame, page, words};
use crate::app::App;
use crate::auth::Operator;
use crate::clock;

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    frame: Frame,
    trend: Trend,
    drains: Vec<Line>,
    kept: usize,
}

/// How it went of late.
#[derive(Debug)]
pub(super) struct Trend {
    pub(super) sessions: Spark,
    pub(super) departures: Spark,
    pub(super) in_words: InWords,
}

/// The numbers of a trend.
#[derive(Debug)]
pub(super) struct InWords {
    pub(super) since: String,
    pub(super) now: u64,
    pub(super) least: u64,
    pub(super) most: u64,
    pub(super) departures: u64,
    pub(super) forced: u64,
}

/// A drain on the list, and at the head of its own page.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) pod: String,
    pub(super) href: String,
    pub(super) why: &'static str,
    pub(super) started_at: Timestamp,
    /// How long it took, or has taken so far.
    pub(super) took: String,
    pub(super) people: u64,
    /// Who logged out, and whose browser did.
    pub(super) in_time: u64,
    pub(super) forced: u64,
    pub(super) moved: u64,
    pub(super) expired: u64,
    pub(super) untold: u64,
    pub(super) left: u64,
    /// How it ended, in words, and the class that colours them.
    pub(super) end: &'static str,
    pub(super) class: &'static str,
    /// Whether it was under way before it was seen.
    pub(super) is_partial: bool,
}

/// `GET /admin/history`.
pub(crate) async fn history(State(app): State<App>, operator: Operator) -> Response {
    let (view, now) = (app.view(), clock::now());
    page(&History {
        frame: Frame::new("History", app.refresh, now).of(&operator),
        trend: Trend::of(&view),
        drains: view.drains().map(|drain| line(drain, now)).collect(),
        kept: DRAINS_KEPT,
    })
}

impl Trend {
    pub(super) fn of(view: &FleetView) -> Self {
        // A young tier's picture is not all empty.
        const SLOTS: usize = 20;
        let values = |value: fn(&session_domain::fleet::Step) -> u64| view.steps().map(value).collect::<Vec<_>>();
        let mut sessions = values(|step| step.sessions);
        // What is now is newer than the last step.
        sessions.push(view.total_sessions());
        let departures = values(|step| step.departures);
        let steps = u32::try_from(view.steps().len()).unwrap_or(u32::MAX);
        Self {
            sessions: Spark::of(&sessions, SLOTS),
            departures: Spark::of(&departures, SLOTS),
            in_words: InWords {
                since: words::duration(STEP.saturating_mul(steps).max(STEP)),
                now: view.total_sessions(),
                least: sessions.iter().copied().min().unwrap_or(0),
                most: sessions.iter().copied().max().unwrap_or(0),
                departures: departures.iter().sum(),
                forced: view.steps().map(|step| step.forced).sum(),
            },
        }
    }
}

pub(super) fn line(drain: &DrainRecord, now: Timestamp) -> Line {
    let (end, class) = match drain.end {
        None => ("runs", "draining"),
        Some(DrainEnd::Over(_)) if drain.departures(Outcome::Forced) > 0 => ("some were forced", "unreachable"),
        Some(DrainEnd::Over(_)) if drain.left() == 0 => ("everybody left in time", "serving"),
        Some(DrainEnd::Over(_)) => ("countdown over", "draining"),
        Some(DrainEnd::Cancelled(_)) => ("taken back", "waiting"),
        Some(DrainEnd::Lost(_)) => ("pod was lost", "unreachable"),
    };
    Line {
        pod: drain.pod.to_string(),
        href: href(drain),
        why: why(drain.reason),
        started_at: drain.started_at,
        took: words::duration(took(drain, now)),
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

/// From the beginning until nobody was left, or it ended, or now.
fn took(drain: &DrainRecord, now: Timestamp) -> Duration {
    // By the pod's clock it began when it says, by ours when we heard of it: only one that was seen from its beginning
    // is measured by one clock.
    let from = if drain.is_partial { drain.started_at.min(drain.heard_at) } else { drain.heard_at };
    let until = drain.emptied_at.or(drain.end.map(DrainEnd::at)).unwrap_or(now);
    until.since(from)
}

pub(super) const fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Shutdown => "shutdown",
        Reason::Maintenance => "maintenance",
    }
}

/// The page of a drain: its pod and its beginning name it, whichever replica of this tier is asked.
fn href(drain: &DrainRecord) -> String {
    let pod = serde_urlencoded::to_string([("pod", drain.pod.as_str())]).unwrap_or_default();
    format!("/admin/history/drain?{pod}&started={}", drain.started_at.as_millis())
}
