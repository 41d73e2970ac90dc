//! `/admin/history/drain`: one drain: who was there, how each left, how long it took.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use session_domain::fleet::{DrainEnd, DrainRecord, PEOPLE_KEPT, Person};
use session_domain::{Outcome, SessionId, Timestamp};

use super::chart::Course;
use super::history::{Line, line};
use super::{Frame, page, words};
use crate::app::App;
use crate::auth::Operator;
use crate::{clock, problem};

#[derive(Template)]
#[template(path = "drain.html")]
struct Drain {
    frame: Frame,
    line: Line,
    course: Option<Course>,
    /// When half of the people had left, and all.
    half_after: Option<String>,
    all_after: Option<String>,
    /// How long people were given.
    given: Option<String>,
    points: Vec<(String, u64)>,
    people: Vec<Someone>,
    /// People who are counted but not named.
    unnamed: u64,
}

/// Somebody who was there.
#[derive(Debug)]
struct Someone {
    id: String,
    user: String,
    left_at: Option<Timestamp>,
    after: Option<String>,
    how: &'static str,
    class: &'static str,
}

/// Which drain is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    pod: String,
    started: i64,
}

/// `GET /admin/history/drain`.
pub(crate) async fn drain(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        let detail =
            "A drain is named by `pod` and `started`, its beginning in milliseconds; the history links to each.";
        return problem::answer(&headers, StatusCode::BAD_REQUEST, "Which drain?", detail);
    };
    let (view, now) = (app.view(), clock::now());
    let is_it = |drain: &&DrainRecord| drain.pod.as_str() == asked.pod && drain.started_at.as_millis() == asked.started;
    let Some(drain) = view.drains().find(is_it) else {
        let detail = "This drain is not remembered: it is too long ago, or this admin tier has not seen it.";
        return problem::answer(&headers, StatusCode::NOT_FOUND, "No such drain", detail);
    };
    let refresh = if drain.end.is_none() { app.refresh } else { std::time::Duration::ZERO };
    let frame = Frame::new("Drain", refresh, now).of(&operator);
    page(&draw(drain, frame, now))
}

fn draw(drain: &DrainRecord, frame: Frame, now: Timestamp) -> Drain {
    let begin = drain.course.first().map_or(drain.heard_at, |(at, _)| *at);
    let after = |at: Timestamp| words::duration(at.since(begin));
    let most = drain.course.iter().map(|(_, left)| *left).max().unwrap_or(0);
    let half = drain.course.iter().find(|(_, left)| most > 0 && *left <= most / 2);
    // A drain that is over goes on, on its picture, until nobody was left; what the pod did after that shows nothing.
    let end = drain.emptied_at.or(drain.end.map(DrainEnd::at)).unwrap_or(now);
    let mut known: Vec<_> = drain.known.iter().collect();
    known.sort_by_key(|(id, person)| (person.left.map_or(Timestamp::MAX, |(at, _)| at), **id));
    Drain {
        frame,
        line: line(drain, now),
        course: Course::of(&drain.course, drain.deadline, end),
        half_after: half.map(|(at, _)| after(*at)),
        all_after: drain.emptied_at.filter(|_| most > 0).map(after),
        given: drain.deadline.map(|deadline| words::duration(deadline.since(drain.started_at))),
        points: drain.course.iter().map(|(at, left)| (after(*at), *left)).collect(),
        unnamed: drain.people.saturating_sub(PEOPLE_KEPT as u64),
        people: known.into_iter().map(|(id, person)| someone(*id, person, drain, &after)).collect(),
    }
}

fn someone(id: SessionId, person: &Person, drain: &DrainRecord, after: &dyn Fn(Timestamp) -> String) -> Someone {
    let (how, class) = match person.left {
        None if drain.end.is_some() => ("stayed", "waiting"),
        None => ("still there", "draining"),
        Some((_, outcome)) => how(outcome),
    };
    let left_at = person.left.map(|(at, _)| at);
    let user = person.user.to_string();
    Someone { id: id.to_string(), user, left_at, after: left_at.map(after), how, class }
}

const fn how(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Logout) => ("signed out", "serving"),
        Some(Outcome::AutoLogout) => ("signed out by the browser", "serving"),
        Some(Outcome::Forced) => ("forced", "unreachable"),
        Some(Outcome::Expired) => ("had gone before", "waiting"),
        Some(Outcome::Moved) => ("moved to another pod", "serving"),
        None => ("not known: the pod was not heard", "unreachable"),
    }
}
