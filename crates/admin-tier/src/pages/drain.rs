//! `/admin/history/drain`: one drain, with its sessions and how each left.

mod drain_chart;
mod session_row;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use fleet::{DrainRecord, FleetView};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use session_domain::Timestamp;
use session_row::SessionRow;
use summary::DrainSummary;

use super::history::drain_query;
use super::layout::Layout;
use super::relative_time::TimeRendering;
use super::response::page;
use crate::error::AppError;
use crate::live::{Fragments, PageData};
use crate::operator::Operator;
use crate::state::AppState;
use crate::{clock, format};

#[derive(Template)]
#[template(path = "drain.html")]
struct DrainPage {
    layout: Layout,
    pod: String,
    fragments: Fragments,
}

/// The query string: which drain.
#[derive(Debug, Deserialize)]
pub(crate) struct DrainQuery {
    pod: String,
    /// The beginning of the drain, in milliseconds since the epoch.
    started: i64,
}

/// `GET /admin/history/drain`.
pub(crate) async fn drain(
    State(app): State<AppState>,
    operator: Operator,
    query: Result<Query<DrainQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    let (page_data, now) = (app.page_data(), clock::now());
    let drain = find(&page_data, &checked(query)?)?;
    let layout = if drain.end.is_none() {
        let events = format!("/admin/history/drain/events?{}", drain_query(drain));
        Layout::new("Drain", app.refresh_interval, now).with_events(events)
    } else {
        Layout::new("Drain", Duration::ZERO, now)
    };
    let fragments = render(drain, &page_data.view, TimeRendering::OnServer(now), now);
    Ok(page(&DrainPage { layout: layout.for_operator(&operator), pod: drain.pod.to_string(), fragments }))
}

/// `GET /admin/history/drain/events`: the fragments of that page as they change.
pub(crate) async fn drain_events(
    State(app): State<AppState>,
    operator: Operator,
    headers: HeaderMap,
    query: Result<Query<DrainQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    let query = checked(query)?;
    find(&app.page_data(), &query)?;
    let mut shown = Arc::default();
    app.open_event_stream(&operator, &headers, move |page_data| {
        // A drain that is no longer remembered stays as it was last shown.
        if let Ok(drain) = find(page_data, &query) {
            shown = Arc::new(render(drain, &page_data.view, TimeRendering::InBrowser, clock::now()));
        }
        Arc::clone(&shown)
    })
}

fn checked(query: Result<Query<DrainQuery>, QueryRejection>) -> Result<DrainQuery, AppError> {
    let bad_query = |_| {
        let detail = "`pod` and `started` say which drain: the pod, and the beginning in milliseconds. The history links \
                      to each drain.";
        AppError::new(StatusCode::BAD_REQUEST, "Which drain?", detail)
    };
    query.map(|Query(query)| query).map_err(bad_query)
}

fn find<'a>(page_data: &'a PageData, query: &DrainQuery) -> Result<&'a DrainRecord, AppError> {
    let is_wanted =
        |drain: &&DrainRecord| drain.pod.as_str() == query.pod && drain.started_at.as_millis() == query.started;
    page_data.view.drains().find(is_wanted).ok_or_else(|| {
        let detail = "This drain is no longer in memory, or this admin tier did not see it.";
        AppError::new(StatusCode::NOT_FOUND, "No such drain", detail)
    })
}

/// Renders the fragments of the page. Each has its place in `drain.html`.
fn render(drain: &DrainRecord, view: &FleetView, times: TimeRendering, now: Timestamp) -> Fragments {
    let start = drain.timeline.first().map_or(drain.first_seen_at, |(at, _)| *at);
    let after = |at: Timestamp| format::duration(at.since(start));
    let mut known: Vec<_> = drain.named_sessions.iter().collect();
    known.sort_by_key(|(id, person)| (person.ended.map_or(Timestamp::MAX, |(at, _)| at), **id));
    let rows = known.into_iter().map(|(id, person)| SessionRow::new(*id, person, (drain.end, view), &after));
    let mut fragments = Fragments::default();
    fragments.add("drain", &DrainSummary::new(drain, times, now, &after));
    fragments.add_list("people", rows.map(|row| (row.id.clone(), row)));
    fragments
}
