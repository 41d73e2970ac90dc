//! `/admin/sign-in`: signing in with the token or by a one-time link, and signing out.
//!
//! Opening a link neither signs in nor invalidates it: mail and chat programs open links to preview them, and browsers
//! prefetch. The page behind a link has a button.

mod page;

use std::net::{IpAddr, SocketAddr};

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use http_support::{Form, FormError};
use page::{Method, Notice, SignInPage};
use serde::Deserialize;

use crate::auth::{CredentialsError, ReturnPath, SIGN_IN_PATH, TokenAuth};
use crate::error::{AppError, retry_later};
use crate::limits::MAX_FORM_BYTES;
use crate::state::AppState;

/// The query string of the sign-in page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct SignInQuery {
    next: String,
    once: String,
    signed_out: Option<String>,
    /// Whether a link was printed, where one has just been asked for.
    printed: Option<bool>,
}

/// The form of the sign-in page: a token or the secret of a link.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct SignInForm {
    token: String,
    once: String,
    next: String,
}

/// `GET /admin/sign-in`.
pub(crate) async fn show_sign_in(
    State(app): State<AppState>,
    headers: HeaderMap,
    query: Result<Query<SignInQuery>, QueryRejection>,
) -> Response {
    let Query(query) = query.unwrap_or_default();
    let return_path = ReturnPath::from_input(&query.next);
    let Some(token_auth) = app.auth.token_auth() else { return redirect(&return_path) };
    let is_signed_in = token_auth.is_signed_in(&headers);
    if query.once.is_empty() {
        if is_signed_in {
            return redirect(&return_path);
        }
        let notice = match query.printed.filter(|_| !token_auth.has_token()) {
            Some(true) => Some(Notice::info(page::LINK_PRINTED)),
            Some(false) => Some(Notice::info(page::LINK_PRINTED_RECENTLY)),
            None => query.signed_out.map(|_| Notice::info(page::SIGNED_OUT)),
        };
        return SignInPage::new(notice, method(token_auth, &return_path), &return_path).into_response();
    }
    if token_auth.is_valid_link(&query.once) {
        return SignInPage::new(None, Method::Link(query.once), &return_path).into_response();
    }
    let text = if is_signed_in { page::BAD_LINK_SIGNED_IN } else { bad_link(token_auth) };
    SignInPage::new(Some(Notice::error(text)), method(token_auth, &return_path), &return_path).into_response()
}

/// `POST /admin/sign-in`.
pub(crate) async fn sign_in(
    State(app): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<SignInForm, MAX_FORM_BYTES>, FormError>,
) -> Result<Response, AppError> {
    let Form(form) = form.map_err(|error| bad_form(&error))?;
    let return_path = ReturnPath::from_input(&form.next);
    let Some(token_auth) = app.auth.token_auth() else { return Ok(redirect(&return_path)) };
    match check(token_auth, &form, &headers, peer.ip()) {
        Ok(cookie) => Ok(with_cookie(redirect(&return_path), cookie)),
        Err(error) => {
            let wrong = if form.once.is_empty() { page::WRONG_TOKEN } else { bad_link(token_auth) };
            Ok(refuse(token_auth, error, wrong, &return_path))
        }
    }
}

/// `POST /admin/sign-in/link`: prints a one-time link to the log.
pub(crate) async fn print_link(
    State(app): State<AppState>,
    form: Result<Form<SignInForm, MAX_FORM_BYTES>, FormError>,
) -> Response {
    let return_path = ReturnPath::from_input(&form.map(|Form(form)| form.next).unwrap_or_default());
    let Some(token_auth) = app.auth.token_auth() else { return redirect(&return_path) };
    if token_auth.has_token() {
        return SignInPage::new(None, Method::Token, &return_path).into_response();
    }
    // A redirect, so that reloading the page does not ask for another link.
    Redirect::to(&print_page(&return_path, Some(token_auth.print_link()))).into_response()
}

/// `POST /admin/sign-out`.
pub(crate) async fn sign_out(
    State(app): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let Some(token_auth) = app.auth.token_auth() else { return Redirect::to("/admin").into_response() };
    let cleared = token_auth.sign_out(&headers, peer.ip());
    with_cookie(Redirect::to(&format!("{SIGN_IN_PATH}?signed_out=")).into_response(), cleared)
}

fn redirect(return_path: &ReturnPath) -> Response {
    Redirect::to(return_path.as_str()).into_response()
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

fn check(
    token_auth: &TokenAuth,
    form: &SignInForm,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Option<HeaderValue>, CredentialsError> {
    if form.once.is_empty() {
        // White space around a token was copied along with it: no token begins or ends with any.
        token_auth.sign_in(form.token.trim(), headers, address)
    } else {
        token_auth.redeem_link(&form.once, headers, address)
    }
}

fn refuse(token_auth: &TokenAuth, error: CredentialsError, wrong: &'static str, return_path: &ReturnPath) -> Response {
    let method = method(token_auth, return_path);
    let page = |text| SignInPage::new(Some(Notice::error(text)), method, return_path);
    match error {
        CredentialsError::Missing | CredentialsError::Wrong => {
            let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
            (StatusCode::UNAUTHORIZED, challenge, page(wrong)).into_response()
        }
        CredentialsError::TooManyAttempts(wait) => {
            (StatusCode::TOO_MANY_REQUESTS, retry_later(wait), page(page::TOO_MANY_ATTEMPTS)).into_response()
        }
    }
}

fn bad_form(error: &FormError) -> AppError {
    let status = match error {
        FormError::Body(error) => error.status(),
        FormError::NotAForm | FormError::Fields(_) => StatusCode::BAD_REQUEST,
    };
    let detail = "Send the form field `token`, as application/x-www-form-urlencoded.";
    AppError::new(status, "No token in the form", detail)
}

/// Returns what to do about a link that is not valid.
fn bad_link(token_auth: &TokenAuth) -> &'static str {
    if token_auth.has_token() { page::BAD_LINK_USE_TOKEN } else { page::BAD_LINK }
}

/// Returns how a new operator can sign in.
fn method(token_auth: &TokenAuth, return_path: &ReturnPath) -> Method {
    if token_auth.has_token() {
        return Method::Token;
    }
    let wait = token_auth.time_until_next_link();
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Method::PrintLink { seconds, then: print_page(return_path, None) }
}

/// Returns the address of the page that offers to print a link; `printed` says whether one was printed just now.
fn print_page(return_path: &ReturnPath, printed: Option<bool>) -> String {
    let printed = printed.map(|printed| ("printed", printed.to_string()));
    let next = ("next", return_path.as_str().to_owned());
    let query: Vec<_> = std::iter::once(next).chain(printed).collect();
    format!("{SIGN_IN_PATH}?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}
