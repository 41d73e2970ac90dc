//! The scripts that the service serves itself: the one that a page includes with one tag, and those of its own waiting pages.
//! Their URLs never change, so browsers revalidate them on each use.

use std::hash::{DefaultHasher, Hasher as _};

use axum::Router;
use axum::body::Body;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use http_support::field::members;

use crate::headers::guarded;

/// The URL of the script that pages include.
pub const SCRIPT_PATH: &str = "/assets/lastcall.js";

/// The URL of [`WAITING_SCRIPT`] for [`crate::PlainPages`].
pub(crate) const RETRY_PATH: &str = "/assets/lastcall-again.js";

/// The URL of [`RELOAD_SCRIPT`] for [`crate::PlainPages`].
pub(crate) const RELOAD_PATH: &str = "/assets/lastcall-reload.js";

/// The bundle of the modules in `assets/script`. It adds no global name to a page but `lastcall`. `cargo xtask codegen` renews it.
const SCRIPT: &str = include_str!("../assets/lastcall.js");

/// The script of a waiting page, for custom [`crate::Pages`]. It asks whether the service would serve the page now, and then loads it.
/// Asking starts no session, and answers that are not the service's own, such as a proxy's 502, are ignored.
///
/// - It asks every `data-again` seconds (an attribute of any element), and less often after some attempts: at least every ten seconds in a visible tab.
/// - Where an element has `data-location`, it loads that address instead (empty: the page's own). A page that answers a form needs it,
///   so that the form is not sent again.
/// - A click on a link with `href=""` or `data-location` asks at once; a second click opens the page.
/// - It shows the state in an element `#again` with `role="status"`. The attributes `data-offline`, `data-unreachable` and `data-back`
///   replace its texts. While it asks, an element `#trying` shows the text in `data-trying`.
pub const WAITING_SCRIPT: &str = include_str!("../assets/retry.js");

/// The script of [`crate::Page::SessionRenewed`], for custom [`crate::Pages`]. It opens the address in `data-location` (an attribute of
/// any element; empty: the page's own) once, a second after the page is shown.
pub const RELOAD_SCRIPT: &str = include_str!("../assets/reload.js");

/// Serves the scripts, to every caller and in every phase.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(SCRIPT_PATH, file(SCRIPT))
        .route(RETRY_PATH, file(WAITING_SCRIPT))
        .route(RELOAD_PATH, file(RELOAD_SCRIPT))
        .layer(map_response(guarded))
}

fn file<S: Clone + Send + Sync + 'static>(content: &'static str) -> axum::routing::MethodRouter<S> {
    let tag = entity_tag(content);
    get(move |headers: HeaderMap| {
        let answer = answer(content, &tag, &headers);
        async move { answer }
    })
}

/// Returns an entity tag that is the same on every pod of a build.
fn entity_tag(content: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    hasher.write(content.as_bytes());
    HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish())).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn answer(content: &'static str, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    let known = members(headers, IF_NONE_MATCH.as_str()).any(|known| known.strip_prefix(b"W/").unwrap_or(known) == tag);
    let mut response = Response::new(if known { Body::empty() } else { Body::from(content) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ETAG, tag.clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_has_the_script_is_told_so_and_another_gets_it() {
        let tag = entity_tag(SCRIPT);
        let ask = |known: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_bytes(known.as_bytes()).unwrap());
            answer(SCRIPT, &tag, &headers)
        };
        let quoted = tag.to_str().unwrap();
        for known in [quoted, &format!("W/{quoted}"), &format!("\"other\", {quoted}"), &format!("\"ü\", {quoted}")] {
            assert_eq!(ask(known).status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let fresh = ask("\"other\"");
        assert_eq!(fresh.status(), StatusCode::OK);
        assert_eq!(fresh.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(fresh.headers()[ETAG], tag);
    }
}
