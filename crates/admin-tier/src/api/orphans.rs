//! `GET /admin/api/v1/orphans`: sessions in the shared store that no pod holds.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use session_domain::{SessionId, Timestamp};

use super::response::json;
use crate::error::AppError;
use crate::orphans::Orphan;
use crate::state::AppState;

#[derive(Debug, Serialize)]
struct OrphansBody<'a> {
    sessions: Vec<OrphanBody<'a>>,
    total: u64,
    as_of: Option<Timestamp>,
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OrphanBody<'a> {
    session_id: SessionId,
    user: &'a str,
    pod: &'a str,
    login_time: Option<Timestamp>,
    last_activity: Option<Timestamp>,
}

/// `GET /admin/api/v1/orphans`.
pub(crate) async fn get_orphans(State(app): State<AppState>) -> Result<Response, AppError> {
    let orphans = app.orphans().ok_or_else(no_shared_store)?;
    Ok(json(OrphansBody {
        sessions: orphans.listed.iter().map(OrphanBody::new).collect(),
        total: orphans.total,
        as_of: orphans.as_of,
        error: orphans.error.as_deref(),
    }))
}

impl<'a> OrphanBody<'a> {
    fn new(orphan: &'a Orphan) -> Self {
        Self {
            session_id: orphan.id,
            user: orphan.user.as_str(),
            pod: &orphan.pod,
            login_time: orphan.login_time,
            last_activity: orphan.last_activity,
        }
    }
}

fn no_shared_store() -> AppError {
    let detail = "Orphans are sessions in Redis that no pod holds. Start the admin tier with REDIS_URL to list them.";
    AppError::new(StatusCode::NOT_FOUND, "Orphans are not listed", detail).document_only()
}
