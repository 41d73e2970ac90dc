//! One session that a pod had when its drain began.

use askama::Template;
use fleet::{DrainEnd, DrainedSession, FleetView};
use session_domain::{Outcome, SessionId, Timestamp};

use crate::pages::relative_time::RelativeTime;

/// A row: the session and how it left the pod.
#[derive(Template)]
#[template(path = "drain/session_row.html")]
pub(super) struct SessionRow {
    pub(super) id: String,
    user: String,
    left_at: Option<RelativeTime>,
    /// How long after the beginning of the drain it left.
    after: Option<String>,
    /// How it left, and the CSS class of that text.
    departure: &'static str,
    class: &'static str,
    /// The pod that holds the session now, where it has moved.
    now_on: Option<String>,
}

impl SessionRow {
    pub(super) fn new(
        id: SessionId,
        person: &DrainedSession,
        (end, view): (Option<DrainEnd>, &FleetView),
        after: &dyn Fn(Timestamp) -> String,
    ) -> Self {
        let (is_over, is_lost) = (end.is_some(), matches!(end, Some(DrainEnd::Lost(_))));
        let (departure, class) = match person.ended {
            None if is_lost => ("not known: the pod was lost", "unreachable"),
            None if person.is_away => ("closed the page", "waiting"),
            None if is_over => ("stayed", "waiting"),
            None => ("still there", "draining"),
            Some((_, outcome)) => departure(outcome),
        };
        let has_moved = matches!(person.ended, Some((_, Some(Outcome::Moved))));
        let now_on = view.row(id).filter(|_| has_moved).map(|row| row.session.pod.to_string());
        let left_at = person.ended.map(|(at, _)| at);
        Self {
            id: id.to_string(),
            user: person.user.to_string(),
            left_at: left_at.map(RelativeTime::clock),
            after: left_at.map(after),
            departure,
            class,
            now_on,
        }
    }
}

const fn departure(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Logout) => ("signed out", "serving"),
        Some(Outcome::AutoLogout) => ("signed out by the page", "unreachable"),
        Some(Outcome::Forced) => ("forced", "unreachable"),
        Some(Outcome::Expired) => ("closed the page", "waiting"),
        Some(Outcome::Moved) => ("moved to another pod", "serving"),
        None => ("not known: the pod could not be reached", "unreachable"),
    }
}
