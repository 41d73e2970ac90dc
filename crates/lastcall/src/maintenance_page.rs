//! A stand-alone server for the maintenance page, used while the Service has no ready pod.
//!
//! A Service without ready pods has no endpoints, and users get the proxy's own error page. A proxy that can fall back to this
//! server shows the maintenance page instead. The server holds no sessions, reads and sets no cookies, and is always ready.

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

/// How long open connections may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The default of `Retry-After`, for crawlers and clients. The page does not show it to users.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30 * 60);

/// How often idle connections are checked; this server has no event streams.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// Paths that must not be visible from outside. Proxies match path prefixes, so paths below them are hidden, too.
const HIDDEN_PATHS: [&str; 5] = ["/health", "/healthz", "/ready", "/readyz", "/metrics"];

/// Serves the maintenance page for navigations, and a problem document for other requests, at every path except those of `assets` (the
/// files that the page links to) and of the probes, which answer 200. Returns at most a second after `stopped` completes.
///
/// `retry_after` is [`crate::Config::maintenance_retry_after`].
///
/// With `hide_probes` the probes and `/metrics` answer 404 instead, so that a route can send those paths here to hide the pods'
/// from the outside.
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
        sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        () = serve(listener, routes, stop.clone(), ConnectionSettings::new(HEARTBEAT_INTERVAL), Connections::within_open_files()) => {}
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
    HIDDEN_PATHS.iter().fold(Router::new(), |routes, path| {
        routes
            .route(path, nothing())
            .route(&format!("{path}/"), nothing())
            .route(&format!("{path}/{{*below}}"), nothing())
    })
}

/// The maintenance page, or a problem document. Sets no cookie. The page shows a duration only if the operator has set one.
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
