//! Answers to requests that carry an id which a login replaced within the last minute. They open nothing, start nothing and set no
//! cookie, so that no late answer replaces the new cookie.

use http::header::REFERER;
use http::request::Parts;

use crate::layers::staged_request::StagedRequest;
use crate::refusal::{Reason, Refusal};
use crate::route_kind::RouteKind;
use crate::scope::Base;

pub(super) fn refuse<B, F>(request: &StagedRequest<B, F>) -> Refusal {
    request.refuse(match request.route {
        RouteKind::Session | RouteKind::Events => Reason::NoSession,
        // The browser has the new cookie by now: the button ends the session that the user sees.
        RouteKind::Logout => Reason::ConfirmSignOut,
        RouteKind::App | RouteKind::Login | RouteKind::Tasks | RouteKind::WebSocket => {
            Reason::SessionReplaced { is_repeated: is_repeated(&request.facts.base, &request.head) }
        }
    })
}

/// Whether the page itself led here, as it does where it opens itself again without scripts. With scripts the page knows.
fn is_repeated(base: &Base, request: &Parts) -> bool {
    let Some(referrer) = request.headers.get(REFERER).and_then(|referrer| referrer.to_str().ok()) else { return false };
    let here = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let here = format!("{}{}", base.as_str().trim_end_matches('/'), here);
    let path = referrer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path == Some(here.as_str())
}
