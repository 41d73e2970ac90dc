//! `/admin/users`: every session, searched, sorted and paged on the server, all of it in the URL.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use session_domain::Timestamp;
use session_domain::fleet::{Field, FleetView, Query, Row};

use super::{Completeness, Frame, page, words};
use crate::api::SessionParameters;
use crate::app::App;
use crate::auth::Operator;
use crate::orphans::Orphans;
use crate::{clock, problem};

/// Sessions on a page of the dashboard.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    frame: Frame,
    completeness: Completeness,
    /// Sessions over all pods.
    total: u64,
    /// Sessions that match, where something was asked for.
    matching: u64,
    filtered: bool,
    asked: SessionParameters,
    columns: Vec<Column>,
    rows: Vec<Line>,
    first_row: u64,
    last_row: u64,
    first_page: Option<String>,
    next_page: Option<String>,
    /// Sessions in Redis that no pod holds; none where nobody looks there.
    left_behind: Option<LeftBehind>,
    /// Pods to choose from.
    pods: Vec<String>,
}

/// The head of a column.
#[derive(Debug)]
struct Column {
    name: &'static str,
    href: String,
    /// `ascending`, `descending`, or empty.
    order: &'static str,
}

/// A session on the dashboard.
#[derive(Debug)]
struct Line {
    id: String,
    user: String,
    pod: String,
    login_time: Timestamp,
    last_activity: Timestamp,
    active: String,
    duration: String,
    /// What the row should not be taken for: out of date, or impossible.
    stale: bool,
    doubtful: bool,
    shared: bool,
    notified: bool,
    /// Nothing of it is open now: nobody is connected.
    away: bool,
}

/// Sessions that no pod holds.
#[derive(Debug)]
struct LeftBehind {
    total: u64,
    rows: Vec<Orphaned>,
    error: Option<String>,
}

/// A session that no pod holds.
#[derive(Debug)]
struct Orphaned {
    id: String,
    user: String,
    pod: String,
    active: String,
}

/// Orphans on the dashboard; the API lists more.
const ORPHANS: usize = 20;

const COLUMNS: [(&str, Field); 6] = [
    ("Session", Field::SessionId),
    ("User", Field::User),
    ("Pod", Field::Pod),
    ("Signed in", Field::LoginTime),
    ("Last active", Field::LastActivity),
    ("Duration", Field::DurationSeconds),
];

/// `GET /admin/users`.
pub(crate) async fn users(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    parameters: Result<Parameters<SessionParameters>, QueryRejection>,
) -> Response {
    let bad = |detail: &str| problem::answer(&headers, StatusCode::BAD_REQUEST, "Bad query", detail);
    let asked = match parameters {
        Ok(Parameters(asked)) => asked,
        Err(rejection) => return bad(&rejection.body_text()),
    };
    match asked.query(ROWS) {
        Ok(query) => render(&app, &operator, asked, &query),
        Err(error) => bad(&error.to_string()),
    }
}

fn render(app: &App, operator: &Operator, asked: SessionParameters, query: &Query) -> Response {
    let (view, now) = (app.view(), clock::now());
    let found = view.sessions(query);
    let lines: Vec<_> = found.rows.iter().map(|row| line(&view, row, now)).collect();
    let link = |sort: &str, cursor: &str| href(&asked, sort, cursor);
    let columns = COLUMNS.map(|(name, field)| column(name, field, query, &link));
    let mut pods: Vec<_> = view.pods().iter().map(|pod| pod.label().to_owned()).collect();
    if !asked.pod.is_empty() && !pods.contains(&asked.pod) {
        pods.push(asked.pod.clone());
    }
    pods.sort();
    pods.dedup();
    page(&Users {
        frame: Frame::new("Users", app.refresh, now).of(operator),
        completeness: Completeness::of(&view),
        total: view.total_sessions(),
        matching: found.total,
        filtered: !query.filter.is_empty(),
        first_row: found.before + 1,
        last_row: found.before + lines.len() as u64,
        first_page: (query.place != session_domain::fleet::Place::Start).then(|| link(&asked.sort, "")),
        next_page: found.next.as_ref().map(|next| link(&asked.sort, &query.cursor(next))),
        columns: columns.into(),
        rows: lines,
        left_behind: app.orphans().map(|orphans| left_behind(&orphans, now)),
        asked,
        pods,
    })
}

fn left_behind(orphans: &Orphans, now: Timestamp) -> LeftBehind {
    let rows = orphans.listed.iter().take(ORPHANS).map(|orphan| Orphaned {
        id: orphan.id.to_string(),
        user: orphan.user.to_string(),
        pod: orphan.pod.clone(),
        active: orphan.last_activity.map_or_else(|| "unknown".to_owned(), |at| words::ago(at, now)),
    });
    LeftBehind { total: orphans.total, rows: rows.collect(), error: orphans.error.clone() }
}

fn column(name: &'static str, field: Field, query: &Query, link: &dyn Fn(&str, &str) -> String) -> Column {
    let sorted = query.sort.field == field;
    let descending = sorted && query.sort.descending;
    let turned = if sorted && !descending { format!("-{}", field.as_str()) } else { field.as_str().to_owned() };
    let order = match (sorted, descending) {
        (false, _) => "",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    Column { name, href: link(&turned, ""), order }
}

fn line(view: &FleetView, row: &Row, now: Timestamp) -> Line {
    let session = &row.session;
    Line {
        id: session.id.to_string(),
        user: session.user.to_string(),
        pod: session.pod.to_string(),
        login_time: session.login_time,
        last_activity: session.last_activity,
        active: words::ago(session.last_activity, now),
        duration: words::duration(now.since(session.login_time)),
        stale: view.is_stale(row),
        doubtful: row.doubtful,
        shared: !row.also_at.is_empty(),
        notified: session.notified,
        away: [session.event_streams, session.websockets, session.in_flight_requests, session.active_tasks] == [0; 4],
    }
}

/// A link to the same list in another order or at another place.
fn href(asked: &SessionParameters, sort: &str, cursor: &str) -> String {
    let pairs = [
        ("q", asked.q.as_str()),
        ("pod", &asked.pod),
        ("user", &asked.user),
        ("sort", sort),
        ("limit", &asked.limit),
        ("cursor", cursor),
    ];
    let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let query = serde_urlencoded::to_string(given.collect::<Vec<_>>()).unwrap_or_default();
    format!("/admin/users?{query}")
}
