//! The JSON API: sessions page by page, pods, and what is left out of both.

mod drains;
mod forget;
mod maintenance;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::response::{IntoResponse, Response};
pub(crate) use drains::drains;
use fleet::{CursorParams, Filter, FleetView, Listing, PodHealth, PodState, PodView, Query, QueryError, Row};
pub(crate) use forget::forget;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
pub(crate) use maintenance::move_switch;
use serde::{Deserialize, Serialize};
use session_domain::paging::Cursor;
use session_domain::{SessionId, Timestamp};

use crate::app::App;
use crate::{clock, problem};

/// The description of the API.
const OPENAPI: &str = include_str!("../assets/openapi.json");

/// What may be asked of the sessions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SessionParameters {
    pub(crate) pod: String,
    pub(crate) user: String,
    pub(crate) q: String,
    pub(crate) state: String,
    pub(crate) connected: String,
    pub(crate) sort: String,
    pub(crate) limit: String,
    pub(crate) cursor: String,
    pub(crate) before: String,
}

impl SessionParameters {
    /// The question, checked.
    pub(crate) fn query(&self, default_limit: usize) -> Result<Query, QueryError> {
        let filter = Filter::new(&self.pod, &self.user, &self.q).in_state(&self.state)?.connected(&self.connected)?;
        let place = CursorParams { after: &self.cursor, before: &self.before };
        Query::parse(filter, Some(&self.sort), Some(&self.limit), place, default_limit)
    }

    /// The same list from its start.
    pub(crate) fn at_start(&self) -> Self {
        Self { cursor: String::new(), before: String::new(), ..self.clone() }
    }

    /// What is asked here, of `path`.
    pub(crate) fn href(&self, path: &str) -> String {
        let pairs = [
            ("q", &self.q),
            ("pod", &self.pod),
            ("user", &self.user),
            ("state", &self.state),
            ("connected", &self.connected),
            ("sort", &self.sort),
            ("limit", &self.limit),
            ("cursor", &self.cursor),
            ("before", &self.before),
        ];
        let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let query = serde_urlencoded::to_string(given.collect::<Vec<_>>()).unwrap_or_default();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

#[derive(Debug, Serialize)]
struct Sessions<'a> {
    sessions: Vec<Session<'a>>,
    total: u64,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Session<'a> {
    pub(crate) session_id: SessionId,
    pub(crate) user: &'a str,
    pub(crate) pod: &'a str,
    pub(crate) login_time: Timestamp,
    pub(crate) last_activity: Timestamp,
    pub(crate) duration_seconds: u64,
    /// Whether it is present, as its pod says; not known of a pod that cannot be heard.
    pub(crate) connected: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Pods<'a> {
    pods: Vec<Pod<'a>>,
    total_sessions: u64,
    present_sessions: u64,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
    safe_to_upgrade: bool,
    discovery_error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Pod<'a> {
    pod: &'a str,
    address: &'a str,
    phase: Option<&'static str>,
    active_sessions: Option<u64>,
    present_sessions: Option<u64>,
    forced_logout_at: Option<Timestamp>,
    reachable: bool,
    last_seen: Option<Timestamp>,
    revision: Option<&'a str>,
    error: Option<String>,
    listed: bool,
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

/// `GET /admin/api/v1/sessions`.
pub(crate) async fn sessions(
    State(app): State<App>,
    parameters: Result<Parameters<SessionParameters>, QueryRejection>,
) -> Response {
    let query = match parameters.map(|Parameters(parameters)| parameters.query(100)) {
        Ok(Ok(query)) => query,
        Ok(Err(error)) => return problem::document(StatusCode::BAD_REQUEST, "Bad query", &error.to_string()),
        Err(rejection) => {
            return problem::document(StatusCode::BAD_REQUEST, "Bad query", &rejection.body_text());
        }
    };
    let (view, now) = (app.view(), clock::now());
    let listing = Listing::new(query, &view);
    let cursor = |position: Option<Cursor>| position.map(|position| listing.query().cursor(&position));
    fresh(Sessions {
        sessions: listing.rows().iter().map(|row| session(row, &view, now)).collect(),
        total: listing.total(),
        next_cursor: cursor(listing.next()),
        previous_cursor: cursor(listing.previous()),
        complete: view.is_complete(),
        unreachable_pods: unreachable(&view),
    })
}

/// `GET /admin/api/v1/pods`.
pub(crate) async fn pods(State(app): State<App>) -> Response {
    let view = app.view();
    fresh(Pods {
        pods: view.pods().iter().map(|each| pod(each)).collect(),
        total_sessions: view.total_sessions(),
        present_sessions: view.present_sessions(),
        complete: view.is_complete(),
        unreachable_pods: unreachable(&view),
        safe_to_upgrade: view.is_safe_to_upgrade(),
        discovery_error: view.discovery_error(),
    })
}

#[derive(Debug, Serialize)]
struct OrphanList<'a> {
    sessions: Vec<OrphanAnswer<'a>>,
    total: u64,
    as_of: Option<Timestamp>,
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OrphanAnswer<'a> {
    session_id: SessionId,
    user: &'a str,
    pod: &'a str,
    login_time: Option<Timestamp>,
    last_activity: Option<Timestamp>,
}

/// `GET /admin/api/v1/orphans`.
pub(crate) async fn orphans(State(app): State<App>) -> Response {
    let Some(orphans) = app.orphans() else {
        let detail =
            "Orphans are sessions in Redis that no pod holds; start the admin tier with REDIS_URL to see them.";
        return problem::document(StatusCode::NOT_FOUND, "Nobody looks for orphans", detail);
    };
    fn answer(orphan: &crate::orphans::Orphan) -> OrphanAnswer<'_> {
        OrphanAnswer {
            session_id: orphan.id,
            user: orphan.user.as_str(),
            pod: &orphan.pod,
            login_time: orphan.login_time,
            last_activity: orphan.last_activity,
        }
    }
    fresh(OrphanList {
        sessions: orphans.listed.iter().map(answer).collect(),
        total: orphans.total,
        as_of: orphans.as_of,
        error: orphans.error.as_deref(),
    })
}

/// `GET /openapi.json`.
pub(crate) async fn openapi() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], OPENAPI).into_response()
}

/// A session as both the API and the export tell it.
pub(crate) fn session<'a>(row: &'a Row, view: &FleetView, now: Timestamp) -> Session<'a> {
    Session {
        session_id: row.session.id,
        user: row.session.user.as_str(),
        pod: row.session.pod.as_str(),
        login_time: row.session.login_time,
        last_activity: row.session.last_activity,
        duration_seconds: now.since(row.session.login_time).as_secs(),
        connected: (!view.is_stale(row)).then(|| row.session.is_present()),
    }
}

fn pod(pod: &PodView) -> Pod<'_> {
    let finished = pod.state == PodState::Finished;
    Pod {
        pod: pod.label(),
        address: pod.address.as_str(),
        phase: if finished { Some("finished") } else { pod.report.as_ref().map(|report| report.phase.as_str()) },
        active_sessions: pod.active_sessions(),
        present_sessions: pod.present_sessions(),
        forced_logout_at: pod.report.as_ref().filter(|_| !finished).and_then(|report| report.forced_logout_at),
        reachable: pod.is_reachable(),
        last_seen: pod.last_seen,
        revision: pod.revision(),
        error: match pod.health() {
            PodHealth::Inconsistent(reason) | PodHealth::Unreachable(reason) => Some(reason),
            PodHealth::Waiting | PodHealth::Live | PodHealth::Finished => None,
        },
        listed: pod.is_discovered(),
        ready: pod.is_ready(),
        serving: pod.conditions.serving,
        terminating: pod.conditions.terminating,
    }
}

pub(crate) fn unreachable(view: &FleetView) -> Vec<&str> {
    view.unreachable().map(PodView::label).collect()
}

fn fresh(answer: impl Serialize) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response()
}
