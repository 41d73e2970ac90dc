//! The admin tier as a whole: links, fleet, and the router that reads it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use fleet::FleetView;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_support::{ConnectionSettings, Connections};
use maintenance_switch::Switch;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::audit::Audit;
use crate::auth::{self, Auth};
use crate::discovery::Reporter;
use crate::fleet_task::{Commands, Inputs};
use crate::link::Presenter;
use crate::live::{self, Scene, Sources, Streams};
use crate::maintenance::Maintenance;
use crate::options::Options;
use crate::orphans::{self, Orphans, StoreLink};
use crate::security::ForwardedTrust;
use crate::slash::TrailingSlash as _;
use crate::{api, assets, clock, export, fleet_task, metrics, pages, problem, security};

/// How long open connections get at the end.
const CLOSING: Duration = Duration::from_secs(3);

/// How often open pages hear something: connections that acknowledge nothing for some of these are gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The largest form that is read, in bytes.
pub(crate) const MAX_FORM_BYTES: usize = 16 * 1024;

/// What pages, API and metrics read.
#[derive(Clone, Debug)]
pub(crate) struct App {
    sources: Sources,
    /// What open pages show, at most one a second.
    pub(crate) scenes: watch::Receiver<Arc<Scene>>,
    /// The open pages' streams.
    pub(crate) streams: Streams,
    /// How often pages renew.
    pub(crate) refresh: Duration,
    /// Who may look and act.
    pub(crate) auth: Auth,
    /// What operators did.
    pub(crate) audit: Audit,
    /// The maintenance switch, where one was named.
    pub(crate) maintenance: Option<Maintenance>,
    /// Log lines that were dropped so far.
    dropped_log_lines: Arc<AtomicU64>,
    /// Where the fleet is told what operators want.
    pub(crate) commands: Commands,
}

impl App {
    /// The fleet as it was published last.
    pub(crate) fn view(&self) -> Arc<FleetView> {
        Arc::clone(&self.sources.views.borrow())
    }

    /// What was found in Redis last; none where nobody looks there.
    pub(crate) fn orphans(&self) -> Option<Arc<Orphans>> {
        self.sources.orphans.as_ref().map(|orphans| Arc::clone(&orphans.borrow()))
    }

    /// All that pages show, as it is now.
    pub(crate) fn scene(&self) -> Scene {
        self.sources.scene()
    }
}

/// Why the admin tier ended other than by a signal.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The listener is unusable.
    #[error("the listener is unusable")]
    Listener(#[from] std::io::Error),
    /// A part ended before its time. A fault of ours: the process should exit.
    #[error("a part of the admin tier ended before its time")]
    PartEnded,
}

/// Serves on `listener` until `stopped` is done, then closes within seconds. `switch` is what operators move,
/// `dropped_log_lines` what the writer of the log counts.
///
/// # Errors
/// Where the listener is unusable, or a part fails, which no pod and no request can make it do.
pub async fn serve(
    options: &Options,
    switch: Option<Switch>,
    listener: TcpListener,
    dropped_log_lines: Arc<AtomicU64>,
    stopped: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let stop = CancellationToken::new();
    let (views, reader) = watch::channel(Arc::new(FleetView::default()));
    let address = listener.local_addr()?;
    let audit = Audit::new();
    let auth = Auth::new(&options.auth, address.port(), audit.clone());
    let mut parts = JoinSet::new();
    let (mut orphans, mut store) = (None, None);
    if let Some(url) = options.redis.clone() {
        let (found, orphans_found) = watch::channel(Arc::default());
        let (link, question) = StoreLink::new(orphans_found.clone());
        parts.spawn(orphans::look(url, question, found, stop.clone()));
        (orphans, store) = (Some(orphans_found), Some(link));
    }
    if let Some(lock) = auth.lock().filter(|lock| !lock.has_token()) {
        lock.print_link();
    }
    let maintenance = switch.map(|switch| {
        let (maintenance, following) = Maintenance::new(switch, stop.clone());
        parts.spawn(following);
        maintenance
    });
    let sources = Sources { views: reader, maintenance: maintenance.clone(), orphans, audit: audit.clone() };
    let (scene, scenes) = watch::channel(Arc::new(sources.scene()));
    parts.spawn(live::beat(sources.clone(), scene, stop.clone()));
    let streams = Streams::new(stop.clone());
    parts.spawn(streams.clone().ended());
    let (commands, given) = Commands::new();
    let app = App {
        sources,
        scenes,
        streams,
        refresh: options.refresh,
        auth,
        audit,
        maintenance,
        dropped_log_lines,
        commands,
    };
    let router = router(app, ForwardedTrust::new(options), address.ip().is_loopback());
    let (reporter, findings) = Reporter::new();
    parts.spawn(options.pods.clone().run(reporter, stop.clone()));
    let inputs = Inputs {
        findings,
        presenter: Presenter::new(options.grpc_token.clone()),
        commands: given,
        store,
        forget_after: options.forget_after,
        views,
    };
    parts.spawn(fleet_task::keep(inputs, stop.clone()));
    let settings = ConnectionSettings::new(HEARTBEAT).with_peer_address(true);
    parts.spawn(http_support::serve(listener, router, stop.clone(), settings, Connections::within_open_files()));
    tokio::select! {
        () = stopped => {}
        _ = parts.join_next() => return Err(ServeError::PartEnded),
    }
    stop.cancel();
    if timeout(CLOSING, async { while parts.join_next().await.is_some() {} }).await.is_err() {
        warn!(closing.seconds = CLOSING.as_secs(), "connections were cut that did not end in time");
    }
    Ok(())
}

/// Probes, metrics, assets and the way in are open; everything else stands behind the guard, known or not.
fn router(app: App, trust: ForwardedTrust, local: bool) -> Router {
    // Where everybody may look, nobody is asked who they are: the name in the address has to do. Elsewhere a page that
    // rebinds its name gets no further than the sign-in, as cookies belong to names.
    let by_name_only = local && matches!(app.auth, Auth::Off);
    let closed = Router::new()
        .route("/", get(|| async { Redirect::to("/admin") }))
        .with_or_without_slash("/admin", get(pages::panel))
        .route("/admin/events", get(pages::panel_events))
        .with_or_without_slash("/admin/users", get(pages::users))
        .with_or_without_slash("/admin/history", get(pages::history))
        .route("/admin/history/events", get(pages::history_events))
        .with_or_without_slash("/admin/history/drain", get(pages::drain))
        .route("/admin/history/drain/events", get(pages::drain_events))
        .route("/admin/users/events", get(pages::users_events))
        .with_or_without_slash("/admin/users.csv", export::csv())
        .with_or_without_slash("/admin/users.json", export::json())
        .with_or_without_slash("/admin/maintenance", post(api::move_switch))
        .with_or_without_slash("/admin/api/v1/sessions", get(api::sessions))
        .with_or_without_slash("/admin/api/v1/pods", get(api::pods))
        .route("/admin/api/v1/pods/{pod}/forget", post(api::forget))
        .with_or_without_slash("/admin/api/v1/drains", get(api::drains))
        .with_or_without_slash("/admin/api/v1/orphans", get(api::orphans))
        .with_or_without_slash("/openapi.json", get(api::openapi))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), auth::guard))
        .with_state(app.clone());
    let router = Router::new()
        .with_or_without_slash("/metrics", get(metrics_page))
        .with_or_without_slash("/health", get(healthy))
        .with_or_without_slash("/healthz", get(healthy))
        .with_or_without_slash("/ready", get(ready))
        .with_or_without_slash("/readyz", get(ready))
        .merge(assets::router())
        .merge(pages::way_in())
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
        .fallback_service(closed)
        .layer(middleware::from_fn_with_state(Arc::new(trust.same_origin()), security::own_pages_only))
        .layer(middleware::from_fn_with_state(Arc::new(trust), security::trusted_proxies_only))
        .layer(middleware::from_fn(security::headers));
    if by_name_only { router.layer(middleware::from_fn(security::local_names_only)) } else { router }
}

async fn healthy() -> Json<serde_json::Value> {
    Json(json!({ "status": "healthy" }))
}

async fn ready() -> Json<serde_json::Value> {
    Json(json!({ "status": "ready" }))
}

async fn metrics_page(State(app): State<App>) -> Response {
    let text = metrics::render(&app.view(), &app.streams, app.dropped_log_lines.load(Ordering::Relaxed), clock::now());
    ([(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))], text).into_response()
}

async fn unknown(request: Request) -> Response {
    let detail = "There is nothing at this address. The panel is at /admin, the users are at /admin/users, the API is described at /openapi.json.";
    problem::answer(request.headers(), StatusCode::NOT_FOUND, "Not found", detail)
}

async fn wrong_method(request: Request) -> Response {
    let detail = "This path exists, but not with this method.";
    problem::answer(request.headers(), StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}
