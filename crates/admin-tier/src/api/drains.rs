//! `GET /admin/api/v1/drains`: what the last drains were like, and one of them with who was there.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use fleet::{self, DrainEnd, DrainRecord};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use session_domain::{Outcome, SessionId, Timestamp};

use super::fresh;
use crate::app::App;
use crate::problem;

/// Which drains are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pod: String,
    people: String,
}

#[derive(Debug, Serialize)]
struct Drains<'a> {
    drains: Vec<Drain<'a>>,
    lost_pods: Vec<LostPod<'a>>,
}

#[derive(Debug, Serialize)]
struct LostPod<'a> {
    pod: &'a str,
    address: &'a str,
    last_seen: Option<Timestamp>,
    left_at: Timestamp,
    sessions: u64,
    present_sessions: Option<u64>,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct Drain<'a> {
    pod: &'a str,
    reason: &'static str,
    started_at: Timestamp,
    forced_logout_at: Option<Timestamp>,
    emptied_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    end: Option<&'static str>,
    partial: bool,
    sessions: u64,
    present_sessions: u64,
    idle_sessions: u64,
    remaining: u64,
    away: u64,
    outcomes: Outcomes,
    course: Vec<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<Person<'a>>>,
}

#[derive(Debug, Serialize)]
struct Outcomes {
    logout: u64,
    auto_logout: u64,
    forced: u64,
    expired: u64,
    moved: u64,
    unknown: u64,
}

#[derive(Debug, Serialize)]
struct Point {
    at: Timestamp,
    remaining: u64,
}

#[derive(Debug, Serialize)]
struct Person<'a> {
    session_id: SessionId,
    user: &'a str,
    left_at: Option<Timestamp>,
    outcome: Option<&'static str>,
}

/// `GET /admin/api/v1/drains`.
pub(crate) async fn drains(State(app): State<App>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = match asked {
        Ok(Query(asked)) => asked,
        Err(rejection) => return problem::document(StatusCode::BAD_REQUEST, "Bad query", &rejection.body_text()),
    };
    let with_people = match asked.people.as_str() {
        "" | "false" => false,
        "true" => true,
        _ => return problem::document(StatusCode::BAD_REQUEST, "Bad query", "people must be true or false"),
    };
    let view = app.view();
    let is_asked_for = |drain: &&DrainRecord| asked.pod.is_empty() || drain.pod.as_str() == asked.pod;
    let lost = view.lost_pods().filter(|lost| asked.pod.is_empty() || lost.pod == asked.pod);
    fresh(Drains {
        drains: view.drains().filter(is_asked_for).map(|record| drain(record, with_people)).collect(),
        lost_pods: lost.map(lost_pod).collect(),
    })
}

fn drain(record: &DrainRecord, with_people: bool) -> Drain<'_> {
    Drain {
        pod: record.pod.as_str(),
        reason: record.reason.as_str(),
        started_at: record.started_at,
        forced_logout_at: record.deadline,
        emptied_at: record.emptied_at,
        ended_at: record.end.map(DrainEnd::at),
        end: record.end.map(|end| match end {
            DrainEnd::Completed(_) => "over",
            DrainEnd::Cancelled(_) => "cancelled",
            DrainEnd::Lost(_) => "lost",
        }),
        partial: record.is_partial,
        sessions: record.total() + record.idle(),
        present_sessions: record.total(),
        idle_sessions: record.idle(),
        remaining: record.remaining(),
        away: record.away(),
        outcomes: Outcomes {
            logout: record.departures(Outcome::Logout),
            auto_logout: record.departures(Outcome::AutoLogout),
            forced: record.departures(Outcome::Forced),
            expired: record.departures(Outcome::Expired),
            moved: record.departures(Outcome::Moved),
            unknown: record.outcome_unknown(),
        },
        course: record.timeline.iter().map(|(at, remaining)| Point { at: *at, remaining: *remaining }).collect(),
        people: with_people.then(|| people(record)),
    }
}

fn lost_pod(lost: &fleet::LostPod) -> LostPod<'_> {
    LostPod {
        pod: &lost.pod,
        address: lost.address.as_str(),
        last_seen: lost.last_seen,
        left_at: lost.left_at,
        sessions: lost.sessions,
        present_sessions: lost.present,
        reason: lost.reason.as_str(),
    }
}

fn people(record: &DrainRecord) -> Vec<Person<'_>> {
    record
        .named_sessions
        .iter()
        .map(|(id, person)| Person {
            session_id: *id,
            user: person.user.as_str(),
            left_at: person.ended.map(|(at, _)| at),
            outcome: match person.ended {
                Some((_, outcome)) => Some(outcome.map_or("unknown", Outcome::as_str)),
                None => record.is_lost().then_some("unknown"),
            },
        })
        .collect()
}
