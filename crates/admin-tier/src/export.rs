//! `/admin/users.csv` and `/admin/users.json`: all sessions that match a query, in order, as a file.
//!
//! The rows belong to the published view, which does not change during an export. An export allocates their order and one
//! chunk of text at a time.

mod csv;
mod file;

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use file::{ExportFile, Format};
use futures_util::stream;
use http::Method;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

use crate::audit::AuditAction;
use crate::clock;
use crate::error::AppError;
use crate::operator::Operator;
use crate::session_query::SessionQuery;
use crate::state::AppState;

/// `GET /admin/users.csv`.
pub(crate) async fn export_csv(
    State(app): State<AppState>,
    operator: Operator,
    method: Method,
    query: Result<Query<SessionQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    export(&app, &operator, &method, query, Format::Csv)
}

/// `GET /admin/users.json`.
pub(crate) async fn export_json(
    State(app): State<AppState>,
    operator: Operator,
    method: Method,
    query: Result<Query<SessionQuery>, QueryRejection>,
) -> Result<Response, AppError> {
    export(&app, &operator, &method, query, Format::Json)
}

fn export(
    app: &AppState,
    operator: &Operator,
    method: &Method,
    query: Result<Query<SessionQuery>, QueryRejection>,
    format: Format,
) -> Result<Response, AppError> {
    let Query(query) = query?;
    // All rows that match, whichever page the operator views.
    let query = SessionQuery { limit: String::new(), ..query.first_page() }.parse(1)?;
    let file = ExportFile::new(app.view(), &query, format, clock::now());
    // A request for the head alone exports nothing.
    if *method == Method::GET {
        app.audit.record_done(operator, AuditAction::Exported, Some(file.description()));
    }
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.name())).ok();
    let mut response = Body::from_stream(stream::iter(file.map(Ok::<_, Infallible>))).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(disposition.map(|value| (CONTENT_DISPOSITION, value)));
    Ok(response)
}
