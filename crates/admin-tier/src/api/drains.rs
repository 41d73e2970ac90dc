//! `GET /admin/api/v1/drains`: the last drains, on request with the sessions that each began with, and lost pods.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use fleet::{self, DrainEnd, DrainRecord, HandoffSummary};
use serde::{Deserialize, Serialize};
use session_domain::{Outcome, SessionId, Timestamp};

use super::response::json;
use crate::error::AppError;
use crate::state::AppState;

/// The parameters: the name of a pod, and whether sessions are included.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DrainsQuery {
    pod: String,
    people: String,
}

#[derive(Debug, Serialize)]
struct DrainsBody<'a> {
    drains: Vec<DrainBody<'a>>,
    lost_pods: Vec<LostPodBody<'a>>,
}

#[derive(Debug, Serialize)]
struct LostPodBody<'a> {
    pod: &'a str,
    address: &'a str,
    last_seen: Option<Timestamp>,
    left_at: Timestamp,
    sessions: u64,
    present_sessions: Option<u64>,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct DrainBody<'a> {
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
    outcomes: OutcomesBody,
    handoff: Option<HandoffBody>,
    course: Vec<PointBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<PersonBody<'a>>>,
}

#[derive(Debug, Serialize)]
struct OutcomesBody {
    logout: u64,
    auto_logout: u64,
    forced: u64,
    expired: u64,
    moved: u64,
    unknown: u64,
}

/// The handoff of a drain. The times from the ask to the move are in whole seconds, rounded up.
#[derive(Debug, Serialize)]
struct HandoffBody {
    asked: u64,
    notified: u64,
    released: u64,
    last_moved_at: Option<Timestamp>,
    duration_seconds: Option<f64>,
    median_seconds: Option<u64>,
    longest_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct PointBody {
    at: Timestamp,
    remaining: u64,
}

#[derive(Debug, Serialize)]
struct PersonBody<'a> {
    session_id: SessionId,
    user: &'a str,
    left_at: Option<Timestamp>,
    outcome: Option<&'static str>,
}

/// `GET /admin/api/v1/drains`.
pub(crate) async fn get_drains(
    State(app): State<AppState>,
    query: Result<Query<DrainsQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    let Query(query) = query.map_err(|rejection| AppError::from(rejection).document_only())?;
    let with_people = match query.people.as_str() {
        "" | "false" => false,
        "true" => true,
        _ => return Err(AppError::bad_query("people must be true or false").document_only()),
    };
    let view = app.view();
    let is_of_pod = |drain: &&DrainRecord| query.pod.is_empty() || drain.pod.as_str() == query.pod;
    let lost = view.lost_pods().filter(|lost| query.pod.is_empty() || lost.pod == query.pod);
    Ok(json(DrainsBody {
        drains: view.drains().filter(is_of_pod).map(|record| drain(record, with_people)).collect(),
        lost_pods: lost.map(lost_pod).collect(),
    }))
}

fn drain(record: &DrainRecord, with_people: bool) -> DrainBody<'_> {
    DrainBody {
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
        outcomes: OutcomesBody {
            logout: record.departures(Outcome::Logout),
            auto_logout: record.departures(Outcome::AutoLogout),
            forced: record.departures(Outcome::Forced),
            expired: record.departures(Outcome::Expired),
            moved: record.departures(Outcome::Moved),
            unknown: record.outcome_unknown(),
        },
        handoff: record.handoff().map(|handoff| HandoffBody::new(&handoff, record)),
        course: record.timeline.iter().map(|(at, remaining)| PointBody { at: *at, remaining: *remaining }).collect(),
        people: with_people.then(|| people(record)),
    }
}

impl HandoffBody {
    fn new(handoff: &HandoffSummary, record: &DrainRecord) -> Self {
        let HandoffSummary { asked, notified, released, last_moved_at, median, longest } = *handoff;
        let duration = last_moved_at.map(|at| at.since(record.measured_from()));
        Self {
            asked,
            notified,
            released,
            last_moved_at,
            // A pod's messages are a moment under way: tenths are true.
            duration_seconds: duration.map(|time| (time.as_secs_f64() * 10.0).round() / 10.0),
            median_seconds: median.map(|time| time.as_secs()),
            longest_seconds: longest.map(|time| time.as_secs()),
        }
    }
}

fn lost_pod(lost: &fleet::LostPod) -> LostPodBody<'_> {
    LostPodBody {
        pod: &lost.pod,
        address: lost.address.as_str(),
        last_seen: lost.last_seen,
        left_at: lost.left_at,
        sessions: lost.sessions,
        present_sessions: lost.present,
        reason: lost.reason.as_str(),
    }
}

fn people(record: &DrainRecord) -> Vec<PersonBody<'_>> {
    record
        .named_sessions
        .iter()
        .map(|(id, person)| PersonBody {
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
