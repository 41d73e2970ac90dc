//! Signing in and out, and what a session is told about itself: `/login`, `/logout`, `/session`.

use axum::Json;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode, Uri};
use http_support::{Form, FormError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use session_domain::{PodName, SessionId, Timestamp, UserName};

use crate::admission;
use crate::notice::DrainNotice;
use crate::page::{self, Page};
use crate::service_state::ServiceState;
use crate::session::RequestContext;
use crate::sign_in::SignIn;
use crate::trusted;

/// The largest form that `/login` takes, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The form of `POST /login`.
#[derive(Debug, Deserialize)]
pub(crate) struct Login {
    user: String,
}

/// `POST /login`: names the user.
pub(crate) async fn login(
    sign_in: SignIn,
    context: RequestContext,
    headers: HeaderMap,
    form: Result<Form<Login, MAX_FORM_BYTES>, FormError>,
) -> Response {
    if let Some(refusal) = trusted::refuse_login(&context.state, &headers) {
        return refusal;
    }
    let user = match form {
        Ok(Form(login)) => UserName::from_input(&login.user),
        Err(error) => {
            let detail = "Send the form field `user`, as application/x-www-form-urlencoded, in at most 64 kB.";
            return page::problem(&*context.state.pages, &headers, error.status(), "No name in the form", detail);
        }
    };
    match sign_in.name_user(user).await {
        Ok(signed_in) => (signed_in, Redirect::to(context.base.as_str())).into_response(),
        Err(refusal) => refusal,
    }
}

/// Whether the page left by itself at the end of a countdown (`reason=drain`), whatever else the query says.
fn is_automatic(uri: &Uri) -> bool {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri).unwrap_or_default();
    query.iter().find(|(name, _)| name == "reason").is_some_and(|(_, reason)| reason == "drain")
}

/// `GET` and `POST /logout`: ends the session, whatever phase the pod is in, and whether there is one or not.
pub(crate) async fn logout(context: RequestContext, method: Method, headers: HeaderMap, uri: Uri) -> Response {
    let state = &context.state;
    let base = context.base.as_str();
    if method != Method::POST && (method == Method::HEAD || !state.same_origin.is_intended(&headers, &uri)) {
        return page::html(StatusCode::OK, state.pages.html(Page::ConfirmSignOut { base }));
    }
    let automatic = is_automatic(&uri);
    context.log_out(automatic).await;
    let mut response = page::html(StatusCode::OK, state.pages.html(Page::SignedOut { base, automatic }));
    if let Some(cleared) = context.cookies.clear(&context.base) {
        response.headers_mut().append(SET_COOKIE, cleared);
    }
    response
}

/// What `/session` answers.
#[derive(Debug, Serialize)]
struct SessionAnswer {
    session_id: SessionId,
    user: UserName,
    login_time: Timestamp,
    last_activity: Timestamp,
    pod: PodName,
    server_time: Timestamp,
    drain: Option<DrainNotice>,
}

/// `GET /session`: what the session is, and what it has to be told.
pub(crate) async fn session(context: RequestContext, headers: HeaderMap) -> Response {
    let Some(session) = context.session() else { return no_session(&context.state, &headers) };
    let pod_time = context.state.clock.now();
    let answer = SessionAnswer {
        session_id: session.id(),
        user: session.user(),
        login_time: session.login_time(),
        last_activity: session.last_activity(),
        pod: session.pod().clone(),
        server_time: pod_time,
        drain: session.drain_notice(),
    };
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response()
}

/// The answer to a request about a session that there is not. A page that waits learns from it that the service itself answers,
/// and whether it admits newcomers; a page that has a session, how old the answer is.
pub(crate) fn no_session(state: &ServiceState, headers: &HeaderMap) -> Response {
    let detail = "The session has ended, or there never was one. Open the page: it starts one.";
    let more = json!({
        "admits_newcomers": admission::admits_newcomers(state),
        "server_time": state.clock.now(),
    });
    page::problem_with(&*state.pages, headers, StatusCode::UNAUTHORIZED, "No session", detail, more)
}
