//! Handlers of `/login`, `/logout` and `/session`.

use axum::Json;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use http_support::{Form, FormError};
use serde::{Deserialize, Serialize};
use session_domain::{PodName, SessionId, Timestamp, UserName};

use crate::notice::DrainNotice;
use crate::page::{self, Page};
use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;

/// The largest form that `/login` takes, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// Tells the script of a page the path of the app's own logout.
const LOGOUT_REDIRECT: HeaderName = HeaderName::from_static("lastcall-logout-redirect");

/// The form of `POST /login`.
#[derive(Debug, Deserialize)]
pub(crate) struct Login {
    user: String,
}

/// `POST /login`: names the user.
pub(crate) async fn login(
    context: RequestContext,
    form: Result<Form<Login, MAX_FORM_BYTES>, FormError>,
) -> Result<Response, Refusal> {
    if context.state.config.trusted_user.is_some() {
        return Err(context.refuse(Reason::ProxyNamesUsers));
    }
    let Form(login) = form.map_err(|error| context.refuse(Reason::BadForm(error.status())))?;
    let signed_in = context.sign_in(UserName::from_input(&login.user)).await?;
    Ok((signed_in, Redirect::to(context.facts.base.as_str())).into_response())
}

/// Whether the page left by itself at the end of a countdown (`reason=drain`), whatever else the query says.
fn is_automatic(uri: &Uri) -> bool {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri).unwrap_or_default();
    query.iter().find(|(name, _)| name == "reason").is_some_and(|(_, reason)| reason == "drain")
}

/// `GET` and `POST /logout`: ends the session, whatever phase the pod is in, and whether there is one or not.
pub(crate) async fn logout(
    context: RequestContext,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let state = &context.state;
    if method != Method::POST && (method == Method::HEAD || !state.same_origin.is_intended(&headers, &uri)) {
        return Err(context.refuse(Reason::ConfirmSignOut));
    }
    let automatic = is_automatic(&uri);
    let signed_out = context.log_out(automatic).await;
    let page = Page::SignedOut { base: context.facts.base.as_str(), automatic };
    let mut response = (signed_out, page::html(StatusCode::OK, state.pages.html(page))).into_response();
    if let Some(path) = &state.config.logout_redirect {
        response.headers_mut().insert(LOGOUT_REDIRECT, path.clone());
    }
    Ok(response)
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

/// `GET /session`: what the session is, and the notice that runs.
pub(crate) async fn session(context: RequestContext) -> Result<Response, Refusal> {
    let session = context.require_session()?;
    let answer = SessionAnswer {
        session_id: session.id(),
        user: session.user(),
        login_time: session.login_time(),
        last_activity: session.last_activity(),
        pod: session.pod().clone(),
        server_time: context.state.clock.now(),
        drain: session.notice(),
    };
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response())
}
