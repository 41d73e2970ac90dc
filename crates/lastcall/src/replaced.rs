//! The answers to a request whose session id a login has replaced a short while ago. It was on its way with the old cookie:
//! it opens nothing, starts nothing and sets no cookie, so that no late answer takes the new cookie's place.

use axum::response::Response;
use http::StatusCode;
use http::header::REFERER;
use http::request::Parts;

use crate::account;
use crate::page::{self, Page};
use crate::route_kind::RouteKind;
use crate::scope::Base;
use crate::service_state::ServiceState;

/// Answers it. `base` is where the user's pages begin.
pub(crate) fn answer(state: &ServiceState, base: &Base, route: RouteKind, request: &Parts) -> Response {
    let headers = &request.headers;
    match route {
        RouteKind::Session | RouteKind::Events => account::no_session(state, headers),
        // The browser has the new cookie by now: the button ends the session that the user sees.
        RouteKind::Logout => page::html(StatusCode::OK, state.pages.html(Page::ConfirmSignOut { base: base.as_str() })),
        RouteKind::App | RouteKind::Login | RouteKind::WebSocket
            if http_support::header_fields::is_navigation(headers) =>
        {
            // What was posted is not posted again: the form's page is opened instead.
            let location = base.reopened(&request.method);
            let page = Page::SessionRenewed { location, is_repeated: is_repeated(base, request) };
            page::html(StatusCode::CONFLICT, state.pages.html(page))
        }
        RouteKind::App | RouteKind::Login | RouteKind::WebSocket => {
            let detail = "A login has just given the session a new id. Nothing was done: repeat the request with the new cookie.";
            page::problem_document(StatusCode::CONFLICT, "The session has a new id", detail)
        }
    }
}

/// Whether the page itself led here, as it does where it opens itself again without scripts. With scripts the page knows.
fn is_repeated(base: &Base, request: &Parts) -> bool {
    let Some(referrer) = request.headers.get(REFERER).and_then(|referrer| referrer.to_str().ok()) else { return false };
    let here = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let here = format!("{}{}", base.as_str().trim_end_matches('/'), here);
    let path = referrer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path == Some(here.as_str())
}
