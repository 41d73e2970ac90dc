//! `POST /admin/api/v1/pods/{pod}/forget`: an operator drops a silent pod into the history.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use fleet::{ForgetError, LostPod};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use session_domain::Timestamp;

use crate::app::App;
use crate::audit::Deed;
use crate::auth::Operator;
use crate::problem;

/// The longest name of a pod that is looked for, in bytes: a name has 253 at the most, an address a few more.
const LONGEST_NAME: usize = 300;

#[derive(Debug, Serialize)]
struct Forgotten {
    forgotten: Vec<ForgottenPod>,
}

#[derive(Debug, Serialize)]
struct ForgottenPod {
    pod: String,
    address: String,
    last_seen: Option<Timestamp>,
    sessions: u64,
}

/// Forgets the pod of this name, or at this address.
pub(crate) async fn forget(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    Path(pod): Path<String>,
) -> Response {
    let answer = match pod.len() {
        0..=LONGEST_NAME => app.commands.forget(pod.clone()).await,
        _ => Some(Err(ForgetError::Unknown)),
    };
    match answer {
        Some(Ok(pods)) => {
            for lost in &pods {
                app.audit.done(&operator, Deed::PodForgotten, Some(lost.pod.clone()));
            }
            if is_from_page(&headers) { Redirect::to("/admin").into_response() } else { forgotten(pods) }
        }
        Some(Err(error)) => {
            let pod = pod.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
            app.audit.failed(&operator, Deed::PodForgotten, Some(pod), &error);
            let status = match error {
                ForgetError::Unknown => StatusCode::NOT_FOUND,
                ForgetError::Reachable | ForgetError::Waiting => StatusCode::CONFLICT,
            };
            problem::answer(&headers, status, "The pod was not forgotten", &problem::sentence(&error.to_string()))
        }
        None => {
            let detail = "The admin tier is stopping. Try again in some seconds.";
            problem::answer(&headers, StatusCode::SERVICE_UNAVAILABLE, "The pod was not forgotten", detail)
        }
    }
}

fn forgotten(pods: Vec<LostPod>) -> Response {
    let pods = pods.into_iter().map(|lost| ForgottenPod {
        pod: lost.pod,
        address: lost.address.to_string(),
        last_seen: lost.last_seen,
        sessions: lost.sessions,
    });
    Json(Forgotten { forgotten: pods.collect() }).into_response()
}

/// Whether a browser sent the panel's form.
fn is_from_page(headers: &HeaderMap) -> bool {
    http_support::header_fields::accepts(headers, "text/html")
}
