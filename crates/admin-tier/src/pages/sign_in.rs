//! `/admin/sign-in`: the way in, with the token or by a link that is good once, and the way out.
//!
//! Opening a link signs nobody in and uses nothing up: mail and chat programs open links to show what is behind them, and
//! browsers fetch ahead. Its page has a button.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use http_support::{Form, FormError};
use serde::Deserialize;

use super::{Frame, page};
use crate::app::{App, MAX_FORM_BYTES};
use crate::auth::{Destination, Lock, Refused, SIGN_IN, slow_down};
use crate::slash::TrailingSlash as _;
use crate::{assets, clock, problem};

/// The routes of the way in and out.
pub(crate) fn way_in() -> Router<App> {
    Router::new()
        .with_or_without_slash(SIGN_IN, get(show).post(sign_in))
        .route("/admin/sign-in/link", post(print_link))
        .route("/admin/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    /// What has just happened, and whether it went wrong.
    said: Option<(&'static str, bool)>,
    way: Way,
    next: String,
}

/// How one may sign in.
#[derive(Debug)]
enum Way {
    /// With the token.
    Token,
    /// By this link.
    Link(String),
    /// By a link that is still to be printed and found.
    Log(Wait),
}

/// How long it is until a link can be printed.
#[derive(Debug)]
struct Wait {
    /// Whole seconds, rounded up; 0: now.
    seconds: u64,
    /// The page that offers it then.
    then: String,
}

/// What the page is asked with.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    next: String,
    once: String,
    signed_out: Option<String>,
    /// Whether a link was asked for just now, and printed.
    printed: Option<bool>,
}

/// `GET /admin/sign-in`.
async fn show(State(app): State<App>, headers: HeaderMap, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    let destination = Destination::from_input(&asked.next);
    let Some(lock) = app.auth.lock() else { return Redirect::to(destination.as_str()).into_response() };
    if asked.once.is_empty() {
        if lock.is_signed_in(&headers) {
            return Redirect::to(destination.as_str()).into_response();
        }
        let said = match asked.printed.filter(|_| !lock.has_token()) {
            Some(true) => Some((PRINTED, false)),
            Some(false) => Some((TOO_SOON, false)),
            None => asked.signed_out.map(|_| ("You are signed out.", false)),
        };
        return draw(said, way(lock, &destination), &destination);
    }
    if lock.is_good_link(&asked.once) {
        return draw(None, Way::Link(asked.once), &destination);
    }
    let said = if lock.is_signed_in(&headers) { USED_AND_IN } else { used(lock) };
    draw(Some((said, true)), way(lock, &destination), &destination)
}

/// The form of `POST /admin/sign-in`: one of token and link.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Presented {
    token: String,
    once: String,
    next: String,
}

/// `POST /admin/sign-in`.
async fn sign_in(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<Presented, MAX_FORM_BYTES>, FormError>,
) -> Response {
    let presented = match form {
        Ok(Form(presented)) => presented,
        Err(error) => {
            let detail = "Send the form field `token`, as application/x-www-form-urlencoded.";
            let status = match error {
                FormError::Body(error) => error.status(),
                FormError::NotAForm | FormError::Fields(_) => StatusCode::BAD_REQUEST,
            };
            return problem::answer(&headers, status, "No token in the form", detail);
        }
    };
    let destination = Destination::from_input(&presented.next);
    let Some(lock) = app.auth.lock() else { return Redirect::to(destination.as_str()).into_response() };
    match admit(lock, &presented, &headers, peer.ip()) {
        Ok(cookie) => {
            let mut response = Redirect::to(destination.as_str()).into_response();
            response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
            response
        }
        Err(refused) => {
            let wrong = if presented.once.is_empty() { "That is not the token." } else { used(lock) };
            refuse(lock, refused, wrong, &destination)
        }
    }
}

fn admit(
    lock: &Lock,
    presented: &Presented,
    headers: &HeaderMap,
    from: IpAddr,
) -> Result<Option<HeaderValue>, Refused> {
    if presented.once.is_empty() {
        // What surrounds a token was copied along with it: none begins or ends with spaces.
        lock.sign_in(presented.token.trim(), headers, from)
    } else {
        lock.redeem(&presented.once, headers, from)
    }
}

fn refuse(lock: &Lock, refused: Refused, wrong: &'static str, destination: &Destination) -> Response {
    let (status, said) = match refused {
        Refused::Unknown | Refused::Wrong => (StatusCode::UNAUTHORIZED, wrong),
        Refused::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, TOO_MANY),
    };
    let mut response = draw(Some((said, true)), way(lock, destination), destination);
    *response.status_mut() = status;
    match refused {
        Refused::Unknown | Refused::Wrong => {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Refused::TooMany(wait) => response.headers_mut().extend(slow_down(wait)),
    }
    response
}

/// `POST /admin/sign-in/link`: somebody has no token and asks for a link.
async fn print_link(State(app): State<App>, form: Result<Form<Presented, MAX_FORM_BYTES>, FormError>) -> Response {
    let destination = Destination::from_input(&form.map(|Form(form)| form.next).unwrap_or_default());
    let Some(lock) = app.auth.lock() else { return Redirect::to(destination.as_str()).into_response() };
    if lock.has_token() {
        return draw(None, Way::Token, &destination);
    }
    // A page that is reloaded, or renews, must not ask again.
    Redirect::to(&log_page(&destination, Some(lock.print_link()))).into_response()
}

/// `POST /admin/sign-out`.
async fn sign_out(State(app): State<App>, ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    let Some(lock) = app.auth.lock() else { return Redirect::to("/admin").into_response() };
    let cleared = lock.sign_out(&headers, peer.ip());
    let mut response = Redirect::to(&format!("{SIGN_IN}?signed_out=")).into_response();
    response.headers_mut().extend(cleared.map(|cookie| (SET_COOKIE, cookie)));
    response
}

const USED_ASK: &str =
    "That link was used already, or is too old: each signs in once, within 15 minutes. Ask for another one.";
const USED_TOKEN: &str = "That link was used already, or is too old. Sign in with the token.";
const USED_AND_IN: &str =
    "That link was used already, or is too old. You are signed in on this browser: go on to /admin.";
const PRINTED: &str = "A link was printed. It is the last line of the log.";
const TOO_SOON: &str = "A link was printed less than a minute ago: it is in the log. If it was used already, print another after the minute.";
const TOO_MANY: &str = "Too many wrong tries. Wait some seconds, then try again.";

/// What is said of a link that is not good.
fn used(lock: &Lock) -> &'static str {
    if lock.has_token() { USED_TOKEN } else { USED_ASK }
}

fn way(lock: &Lock, destination: &Destination) -> Way {
    if lock.has_token() {
        return Way::Token;
    }
    let wait = lock.next_link_in();
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Way::Log(Wait { seconds, then: log_page(destination, None) })
}

/// The page that offers to print a link; `printed` is what came of asking just now.
fn log_page(destination: &Destination, printed: Option<bool>) -> String {
    let printed = printed.map(|printed| ("printed", printed.to_string()));
    let next = ("next", destination.as_str().to_owned());
    let query: Vec<_> = std::iter::once(next).chain(printed).collect();
    format!("{SIGN_IN}?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}

fn draw(said: Option<(&'static str, bool)>, way: Way, destination: &Destination) -> Response {
    let mut frame = Frame { outside: true, ..Frame::new("Sign in", Duration::ZERO, clock::now()) };
    if let Way::Log(wait) = &way {
        frame.script = assets::url("sign-in.js");
        frame.renews = Some((wait.seconds, wait.then.clone())).filter(|(seconds, _)| *seconds > 0);
    }
    page(&SignIn { frame, said, way, next: destination.as_str().to_owned() })
}
