//! The router of the sample app: one page, and error pages for all other requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use http_support::security_headers;
use lastcall::{Config, Lastcall, RoutePrefix, Session};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::assets;
use crate::chat::Chat;
use crate::notes::{self, Notes};
use crate::options::DATABASE_CLOSE_TIMEOUT;
use crate::pages::{self, SamplePages};
use crate::{export, upload};

/// The largest body that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Allows scripts and styles from the service's own files only, and forbids frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Builds Lastcall's handle for the sample app. It follows the maintenance switch. `database` is there where `DATABASE_URL` is set.
pub fn lastcall(config: Config, switch: watch::Receiver<bool>, database: Option<Notes>) -> Lastcall {
    let builder = Lastcall::builder(config.pod.clone())
        .pages(SamplePages::new(config.route_prefix.clone()))
        .with_config(config)
        .untracked(files())
        .maintenance(switch);
    let builder = match database {
        Some(notes) => builder.on_close("database", DATABASE_CLOSE_TIMEOUT, async move { notes.close().await }),
        None => builder,
    };
    builder.build()
}

/// Builds the router of the sample app.
pub fn router(notes: Notes, chat: Chat) -> Router {
    Router::new()
        .route("/", get(home))
        .with_state(notes.clone())
        .merge(notes::router(notes))
        .merge(chat.router())
        .merge(upload::router())
        .merge(export::router(Arc::default()))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(forbid_caching))
        .layer(from_fn(add_security_headers))
}

/// Serves only the maintenance page until `stopped` completes.
pub async fn maintenance_page(
    prefix: RoutePrefix,
    retry_after: Option<Duration>,
    hide_probes: bool,
    listener: TcpListener,
    stopped: impl Future<Output = ()>,
) {
    lastcall::serve_maintenance_page(SamplePages::new(prefix), files(), retry_after, hide_probes, listener, stopped)
        .await;
}

/// Builds the router of the files, with the same security headers as pages: an SVG that is opened directly runs no script either.
fn files() -> Router {
    assets::router().layer(from_fn(add_security_headers))
}

async fn home(State(notes): State<Notes>, session: Session) -> Response {
    pages::home(&session, &notes)
}

async fn unknown(headers: HeaderMap) -> Response {
    let detail = "Page not found. Go to the home page.";
    problem(&headers, StatusCode::NOT_FOUND, "Not found", detail)
}

async fn wrong_method(headers: HeaderMap) -> Response {
    let detail = "This address exists, but not with this method.";
    problem(&headers, StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}

pub(crate) fn problem(headers: &HeaderMap, status: StatusCode, title: &str, detail: &str) -> Response {
    lastcall::problem(&SamplePages::default(), headers, status, title, detail)
}

/// Adds the security headers to every response of the app.
async fn add_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    security_headers::add(response.headers_mut(), POLICY);
    response
}

/// Forbids caching: every page belongs to one user.
async fn forbid_caching(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
