//! `POST /admin/api/v1/pods/{pod}/forget`: an operator drops a silent pod into the history.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use fleet::{ForgetError, LostPod};
use http::{HeaderMap, StatusCode};
use http_support::header_fields;
use serde::Serialize;
use session_domain::Timestamp;

use crate::audit::AuditAction;
use crate::error::{AppError, sentence};
use crate::operator::Operator;
use crate::state::AppState;

/// The longest name of a pod that is looked up, in bytes: a pod's name has at most 253, an address a few more.
const MAX_NAME_BYTES: usize = 300;

const NOT_FORGOTTEN: &str = "The pod was not forgotten";

#[derive(Debug, Serialize)]
struct ForgottenBody {
    forgotten: Vec<ForgottenPod>,
}

#[derive(Debug, Serialize)]
struct ForgottenPod {
    pod: String,
    address: String,
    last_seen: Option<Timestamp>,
    sessions: u64,
}

/// Forgets the silent pods with this name, or at this address.
pub(crate) async fn forget_pod(
    State(app): State<AppState>,
    operator: Operator,
    headers: HeaderMap,
    Path(pod): Path<String>,
) -> Result<Response, AppError> {
    let forgotten = if pod.len() <= MAX_NAME_BYTES {
        app.commands.forget(pod.clone()).await.map_err(|_| stopping())?
    } else {
        Err(ForgetError::Unknown)
    };
    match forgotten {
        Ok(pods) => {
            for lost in &pods {
                app.audit.record_done(&operator, AuditAction::PodForgotten, Some(lost.pod.clone()));
            }
            let is_form_of_a_page = header_fields::accepts(&headers, "text/html");
            Ok(if is_form_of_a_page { Redirect::to("/admin").into_response() } else { body(pods) })
        }
        Err(error) => {
            let pod = pod.chars().filter(|c| !c.is_control()).take(MAX_NAME_BYTES).collect();
            app.audit.record_failed(&operator, AuditAction::PodForgotten, Some(pod), &error);
            let status = match error {
                ForgetError::Unknown => StatusCode::NOT_FOUND,
                ForgetError::Reachable | ForgetError::Waiting => StatusCode::CONFLICT,
            };
            Err(AppError::new(status, NOT_FORGOTTEN, sentence(error)))
        }
    }
}

fn stopping() -> AppError {
    let detail = "The admin tier is stopping. Try again in some seconds.";
    AppError::new(StatusCode::SERVICE_UNAVAILABLE, NOT_FORGOTTEN, detail)
}

fn body(pods: Vec<LostPod>) -> Response {
    let pods = pods.into_iter().map(|lost| ForgottenPod {
        pod: lost.pod,
        address: lost.address.to_string(),
        last_seen: lost.last_seen,
        sessions: lost.sessions,
    });
    Json(ForgottenBody { forgotten: pods.collect() }).into_response()
}
