//! `GET /notes` and `PUT /notes`: the text of the session's user, as JSON.
//!
//! `GET` answers `{"user", "text", "version"}`. `PUT` takes `{"text", "version"}`, the version that the text is based on, and answers
//! `{"version"}`; or 409 with the current `text` and `version`. A page that names its `user` writes to no other user's notes, even if
//! another user has signed in in another tab meanwhile.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http_support::Problem;
use http_support::header_fields::without_parameters;
use lastcall::Session;
use serde_json::{Value, json};

use super::{MAX_TEXT_BYTES, Note, Notes, NotesError, Owner, Saved, Version};

/// The largest body: JSON writes a control character as six bytes, and a quote or a line break as two.
const MAX_BODY_BYTES: usize = 6 * MAX_TEXT_BYTES + 1024;

/// The largest body that is read to its end. A client that sends the rest to a closed connection may not see the answer.
const MAX_READ_BYTES: usize = 2 * MAX_BODY_BYTES;

/// Builds the routes.
pub(crate) fn router(notes: Notes) -> Router {
    Router::new().route("/notes", get(load).put(save)).layer(DefaultBodyLimit::max(MAX_READ_BYTES)).with_state(notes)
}

async fn load(State(notes): State<Notes>, session: Option<Session>) -> Response {
    let Some(session) = session else { return no_session() };
    match notes.load(Owner::of(&session)).await {
        Ok(Note { text, version }) => {
            let user = session.user();
            Json(json!({ "user": user.as_str(), "text": text, "version": version.to_string() })).into_response()
        }
        Err(error) => unavailable(error),
    }
}

async fn save(
    State(notes): State<Notes>,
    session: Option<Session>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(session) = session else { return no_session() };
    let save = match body {
        Ok(body) if body.len() > MAX_BODY_BYTES => Err(too_long()),
        Ok(body) => Save::parse(&headers, &body),
        Err(rejection) => Err(unread(&rejection)),
    };
    let save = match save {
        Ok(save) => save,
        Err(problem) => return (*problem).into_response(),
    };
    if save.user.is_some_and(|user| user != session.user().as_str()) {
        let detail = "Another user has signed in in this browser. Reload the page.";
        return problem(StatusCode::CONFLICT, "Another user", detail).into_response();
    }
    match notes.save(Owner::of(&session), save.text, save.base).await {
        Ok(Saved::Stored(version)) => Json(json!({ "version": version.to_string() })).into_response(),
        Ok(Saved::Conflict(Note { text, version })) => {
            let detail =
                "The notes were changed in another window. This answer contains them: combine both, and save again.";
            let problem = problem(StatusCode::CONFLICT, "Changed elsewhere", detail);
            problem.with("text", text).with("version", version.to_string()).into_response()
        }
        Err(error) => unavailable(error),
    }
}

/// The body of a save.
struct Save {
    text: String,
    base: Version,
    user: Option<String>,
}

impl Save {
    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Box<Problem>> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !without_parameters(kind.as_bytes()).eq_ignore_ascii_case(b"application/json") {
            let detail = "Send JSON, with Content-Type: application/json.";
            return Err(Box::new(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not JSON", detail)));
        }
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
            let detail = "Send an object with `text` and `version`.";
            return Err(Box::new(problem(StatusCode::BAD_REQUEST, "Not JSON", detail)));
        };
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(value)) => Some(value),
            _ => None,
        };
        let (text, version, user) = (take("text"), take("version"), take("user"));
        let Some(text) = text else { return Err(invalid("`text` must be a string.")) };
        let base = version.and_then(|version| version.parse().ok());
        let Some(base) = base else { return Err(invalid("`version` must be a version that GET /notes gave.")) };
        if text.len() > MAX_TEXT_BYTES {
            return Err(too_long());
        }
        if text.contains('\0') {
            return Err(invalid("`text` must not contain the character U+0000."));
        }
        Ok(Self { text, base, user })
    }
}

fn no_session() -> Response {
    problem(StatusCode::UNAUTHORIZED, "No session", "Open the home page to start a session.").into_response()
}

fn invalid(detail: &'static str) -> Box<Problem> {
    Box::new(problem(StatusCode::UNPROCESSABLE_ENTITY, "Not a note", detail))
}

fn too_long() -> Box<Problem> {
    let detail = format!("Notes may have {MAX_TEXT_BYTES} bytes. Shorten the text. Nothing was changed.");
    Box::new(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Too long", detail).with("limit_bytes", MAX_TEXT_BYTES))
}

fn unread(rejection: &BytesRejection) -> Box<Problem> {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_long(),
        status => Box::new(problem(status, "Not received", "The text did not arrive completely. Send it again.")),
    }
}

/// Nothing was changed, or a repetition will find out: the client tries again.
fn unavailable(error: NotesError) -> Response {
    let detail = format!("Nothing was lost, but {error}. Try again.");
    let mut response = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Not saved", detail).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(error.retry_after().as_secs()));
    response
}

fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Problem {
    Problem::new(status, title, detail)
}
