//! Somebody who was there when a pod drained.

use askama::Template;
use fleet::{DrainEnd, DrainedSession};
use session_domain::{Outcome, SessionId, Timestamp};

use super::super::words::{self, Moment};

/// Somebody who was there.
#[derive(Template)]
#[template(path = "history/person.html")]
pub(super) struct Someone {
    pub(super) id: String,
    user: String,
    left_at: Option<Moment>,
    after: Option<String>,
    how: &'static str,
    class: &'static str,
}

impl Someone {
    pub(super) fn new(
        id: SessionId,
        person: &DrainedSession,
        end: Option<DrainEnd>,
        after: &dyn Fn(Timestamp) -> String,
    ) -> Self {
        let (is_over, is_lost) = (end.is_some(), matches!(end, Some(DrainEnd::Lost(_))));
        let (how, class) = match person.ended {
            None if is_lost => ("not known: the pod was lost", "unreachable"),
            None if person.is_away => ("closed the page", "waiting"),
            None if is_over => ("stayed", "waiting"),
            None => ("still there", "draining"),
            Some((_, outcome)) => how(outcome),
        };
        let left_at = person.ended.map(|(at, _)| at);
        Self {
            id: id.to_string(),
            user: person.user.to_string(),
            left_at: left_at.map(words::clock),
            after: left_at.map(after),
            how,
            class,
        }
    }
}

const fn how(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Logout) => ("signed out", "serving"),
        Some(Outcome::AutoLogout) => ("signed out by the page", "unreachable"),
        Some(Outcome::Forced) => ("forced", "unreachable"),
        Some(Outcome::Expired) => ("closed the page", "waiting"),
        Some(Outcome::Moved) => ("moved to another pod", "serving"),
        None => ("not known: the pod was not heard", "unreachable"),
    }
}
