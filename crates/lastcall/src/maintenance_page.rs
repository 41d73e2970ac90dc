//! A server that is nothing but the maintenance page: what a route leads to while no pod is left behind it.
//!
//! With every pod unready a Service has no endpoints, and whoever comes gets the proxy's own error. A backend of this kind
//! beside them says what is going on. It holds no session, touches no cookie, and is always ready itself.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http_support::{ConnectionSettings, Connections, Problem, security_headers, serve};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::SessionStart;
use crate::page::{self, Page, Pages};
use crate::request_kind::RequestKind;
use crate::route_kind::RouteKind;
use crate::scope;

/// Open connections get so long at the end.
const CLOSING: Duration = Duration::from_secs(1);

/// `Retry-After` where the operator has set nothing: for crawlers and clients, not a promise to users.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30 * 60);

/// There are no event streams here: connections that say nothing are watched at this pace.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What nobody outside is to see. Proxies match whole parts of a path, so what lies below goes the same way.
const PRIVATE: [&str; 5] = ["/health", "/healthz", "/ready", "/readyz", "/metrics"];

/// Serves the maintenance page, to programs a problem document, under every path but those of `assets`, the files that it links to, and of the probes, which
/// say 200. Ends soon after `stopped` is done.
///
/// `retry_after` is what [`crate::Config::maintenance_retry_after`] is.
///
/// With `hide_probes` the probes and `/metrics` are 404 instead: a route may send those paths here, so that nobody outside
/// sees what they say of the pods.
pub async fn serve_maintenance_page(
    pages: impl Pages,
    assets: Router,
    retry_after: Option<Duration>,
    hide_probes: bool,
    listener: TcpListener,
    stopped: impl Future<Output = ()>,
) {
    let pages: Arc<dyn Pages> = Arc::new(pages);
    let probes = if hide_probes { hidden() } else { probes() }.layer(map_response(security_headers::not_a_page));
    let routes = assets.merge(probes).fallback(move |request: Parts| async move {
        let kind = RequestKind::of(&request, RouteKind::App, SessionStart::Any);
        let base = scope::split(&mut request.uri.clone());
        answer(&*pages, kind.takes_page(&request.headers), base.reopened(&request.method), retry_after)
    });
    let stop = CancellationToken::new();
    let closing = async {
        stopped.await;
        stop.cancel();
        sleep(CLOSING).await;
    };
    tokio::select! {
        () = serve(listener, routes, stop.clone(), ConnectionSettings::new(HEARTBEAT), Connections::within_open_files()) => {}
        () = closing => {}
    }
}

fn probes() -> Router {
    let probe = |status: &'static str| get(move || async move { Json(json!({ "status": status })) });
    Router::new()
        .route("/health", probe("healthy"))
        .route("/healthz", probe("healthy"))
        .route("/ready", probe("ready"))
        .route("/readyz", probe("ready"))
}

fn hidden() -> Router {
    let nothing = || any(async || StatusCode::NOT_FOUND);
    PRIVATE.iter().fold(Router::new(), |routes, path| {
        routes
            .route(path, nothing())
            .route(&format!("{path}/"), nothing())
            .route(&format!("{path}/{{*below}}"), nothing())
    })
}

/// The maintenance page, or the same for programs. Leaves the cookie alone. It names a time only where the operator has set one.
pub(crate) fn answer(pages: &dyn Pages, takes_page: bool, location: &str, retry_after: Option<Duration>) -> Response {
    let mut response = if takes_page {
        let page = Page::Maintenance { back_in: retry_after, location };
        page::html(StatusCode::SERVICE_UNAVAILABLE, pages.html(page))
    } else {
        let detail = "The service is in maintenance. Try again later.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "We'll be back soon", detail).into_response()
    };
    let retry_after = retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
    response
}
