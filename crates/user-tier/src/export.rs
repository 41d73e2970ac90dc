//! Exports: the server writes a user's notes into a file and seals it, as a task that a drain waits for.
//!
//! | request | answer |
//! |---|---|
//! | `POST /exports?rounds=20000` (the text) | 201; begins one. 409 while one of the session runs, 413, 422 for other `rounds`, 429 |
//! | `GET /exports` | the session's export, running or done |
//! | `GET /exports/{id}` | the file; 409 before it is done, 404 where the session has no such export |
//!
//! An export belongs to the session that began it, and to this pod: where the session moves to another pod, the page says that the export
//! has to be begun again. A session has at most one: the next one replaces one that is done.
//! It is gone [`KEPT_FOR`] after it was done, or earlier where all
//! places are taken.

mod seal;
mod table;

use std::sync::Arc;

use axum::extract::rejection::{QueryRejection, StringRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use lastcall::Session;
use serde::Deserialize;
use serde_json::json;

pub(crate) use seal::Rounds;
use table::{BeginError, FileError};
pub(crate) use table::{Exports, KEPT_FOR};

use crate::app::problem;

/// The largest text that is exported, in bytes.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Builds the router.
pub(crate) fn router(exports: Arc<Exports>) -> Router {
    Router::new()
        .route("/exports", get(list).post(begin).layer(DefaultBodyLimit::max(MAX_TEXT_BYTES)))
        .route("/exports/{id}", get(file))
        .with_state(exports)
}

#[derive(Deserialize)]
struct Parameters {
    rounds: Rounds,
}

async fn begin(
    State(exports): State<Arc<Exports>>,
    session: Session,
    headers: HeaderMap,
    parameters: Result<Query<Parameters>, QueryRejection>,
    text: Result<String, StringRejection>,
) -> Response {
    let refuse = |status, title, detail: &str| problem(&headers, status, title, detail);
    let Ok(Query(Parameters { rounds })) = parameters else {
        let detail =
            format!("`rounds` is one of {}.", Rounds::ALL.map(|rounds| rounds.number().to_string()).join(", "));
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "Unknown number of rounds", &detail);
    };
    let text = match text {
        Ok(text) => text,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("Notes of up to {MAX_TEXT_BYTES} bytes can be exported. Shorten them.");
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Notes too long", &detail);
        }
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "Not a text", "The notes have to be UTF-8 and complete."),
    };
    match exports.begin(session, text, rounds) {
        Ok(export) => {
            let location = [(LOCATION, format!("exports/{}", export["export_id"].as_str().unwrap_or_default()))];
            (StatusCode::CREATED, location, Json(export)).into_response()
        }
        Err(BeginError::Running) => {
            let detail = "An export of yours is running already. Wait until it is done.";
            refuse(StatusCode::CONFLICT, "Already running", detail)
        }
        Err(BeginError::Full) => {
            let detail = "This server makes as many exports as it can. Try again in a minute.";
            refuse(StatusCode::TOO_MANY_REQUESTS, "Too many exports", detail)
        }
        Err(BeginError::Refused(refusal)) => refusal.into_response(),
    }
}

async fn list(State(exports): State<Arc<Exports>>, session: Session) -> Response {
    Json(json!({ "exports": exports.of(&session) })).into_response()
}

async fn file(
    State(exports): State<Arc<Exports>>,
    session: Session,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    match exports.file(&session, &id) {
        Ok(file) => {
            let headers = [
                (CONTENT_TYPE, "text/plain; charset=utf-8"),
                (CONTENT_DISPOSITION, "attachment; filename=\"notes.txt\""),
            ];
            (headers, file).into_response()
        }
        Err(FileError::Running) => {
            let detail = "The export is not done yet. Ask again in a moment.";
            problem(&headers, StatusCode::CONFLICT, "Not done yet", detail)
        }
        Err(FileError::Missing) => {
            let detail = "This export is not here any more. Begin it again.";
            problem(&headers, StatusCode::NOT_FOUND, "No such export", detail)
        }
    }
}
