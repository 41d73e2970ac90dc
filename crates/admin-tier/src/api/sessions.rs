//! `GET /admin/api/v1/sessions`: all sessions, filtered, sorted and in pages.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use fleet::Listing;
use serde::Serialize;
use session_domain::paging::Cursor;

use super::response::{json, unreachable_pods};
use super::session::SessionBody;
use crate::clock;
use crate::error::AppError;
use crate::session_query::SessionQuery;
use crate::state::AppState;

/// How many sessions a page holds where the query does not say.
const DEFAULT_LIMIT: usize = 100;

#[derive(Debug, Serialize)]
struct SessionsBody<'a> {
    sessions: Vec<SessionBody<'a>>,
    total: u64,
    next_cursor: Option<String>,
    previous_cursor: Option<String>,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
}

/// `GET /admin/api/v1/sessions`.
pub(crate) async fn get_sessions(
    State(app): State<AppState>,
    query: Result<Query<SessionQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    let query = query.map_err(AppError::from).and_then(|Query(query)| Ok(query.parse(DEFAULT_LIMIT)?));
    let listing_query = query.map_err(AppError::document_only)?;
    let (view, now) = (app.view(), clock::now());
    let listing = Listing::new(listing_query, &view);
    let cursor = |position: Option<Cursor>| position.map(|position| listing.query().cursor(&position));
    Ok(json(SessionsBody {
        sessions: listing.rows().iter().map(|row| SessionBody::new(row, &view, now)).collect(),
        total: listing.total(),
        next_cursor: cursor(listing.next()),
        previous_cursor: cursor(listing.previous()),
        complete: view.is_complete(),
        unreachable_pods: unreachable_pods(&view),
    }))
}
