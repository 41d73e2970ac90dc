//! The entry point: your axum [`Router`] in, a tracked and drained service out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::middleware::map_response;
use axum::routing::{get, post};
use futures_util::Stream;
use http::{Request, StatusCode};
use http_support::{ConnectionSettings, Connections, security_headers, serve};
use session_domain::lifecycle::Signal;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::service_fn;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::warn;

use crate::config::Config;
use crate::drain::DrainTask;
use crate::introspection::{self, Publisher};
use crate::origin::CrossSitePosts;
use crate::page::{self, Pages, PlainPages};
use crate::service_state::ServiceState;
use crate::{account, assets, events, probes, session_layer, sharing, sweep};

/// What closing may take at the end: streams, connections and watchers together.
pub const CLOSING_TIME: Duration = Duration::from_secs(5);

/// How long an answer of the service's own may take to begin. An event stream's answer begins at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(45);

/// Why a service ended other than by a drain.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The gRPC services do not describe themselves. A fault of the build.
    #[error("the gRPC services cannot be described")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A listener has no address.
    #[error("a listener is unusable")]
    Listener(#[from] io::Error),
    /// A part of the service ended before the drain was over. A fault of ours: the process should exit.
    #[error("a part of the service ended before its time")]
    PartEnded(#[source] Option<tokio::task::JoinError>),
}

/// Where a service listens. Bound by the caller, so that it knows the ports and reports those in use.
#[derive(Debug)]
pub struct Listeners {
    /// Pages, events and probes.
    pub http: TcpListener,
    /// Introspection; none: the pod cannot be asked.
    pub grpc: Option<TcpListener>,
    /// Metrics; none: they are served on `http`.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Pages, events, probes and metrics on one listener, and no introspection.
    pub const fn http(http: TcpListener) -> Self {
        Self { http, grpc: None, metrics: None }
    }
}

/// A service: an app whose sessions are tracked, and which drains when it is told to stop.
pub struct Service {
    state: Arc<ServiceState>,
    app: Router,
    untracked: Router,
    switch: watch::Receiver<bool>,
    cross_site_posts: CrossSitePosts,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.state.config).finish_non_exhaustive()
    }
}

impl Service {
    /// Takes an app. Its handlers get the session by the extractor [`crate::Session`]. The paths `/login`, `/logout`,
    /// `/session`, `/events`, `/health`, `/healthz`, `/ready`, `/readyz`, `/metrics`, `/assets/lastcall.js` and
    /// `/assets/lastcall-again.js` are the service's own.
    pub fn new(app: Router, config: Config) -> Self {
        Self::with_pages(app, config, PlainPages)
    }

    /// The same, with the app's own design of the pages that the service shows.
    pub fn with_pages(app: Router, config: Config, pages: impl Pages) -> Self {
        // Without anybody who could move it, the switch stays off.
        let (_, switch) = watch::channel(false);
        Self {
            state: ServiceState::new(config, Box::new(pages)),
            app,
            untracked: Router::new(),
            switch,
            cross_site_posts: CrossSitePosts::default(),
        }
    }

    /// Adds routes that answer everybody and touch no session: style sheets, scripts, pictures.
    #[must_use]
    pub fn untracked(mut self, routes: Router) -> Self {
        self.untracked = self.untracked.merge(routes);
        self
    }

    /// Lets forms of other sites post to these paths of the app, each written out like `/acs`: answers of identity providers (OIDC
    /// `form_post`, SAML) and returns from a payment.
    ///
    /// Such a post comes without the session's cookie, and is handed to the app without a session: it starts none, leaves the one
    /// that the browser has alone, and is served during a drain as well. [`Session`](crate::Session) answers it with 401; a
    /// handler that knows who the user is takes [`SignIn`](crate::SignIn), or redirects to a page by `303`, where the cookie
    /// is back. That the post is not forged is the handler's to verify (`state`, `RelayState`, signatures). Posts of our own pages
    /// to the same paths are served as ever.
    #[must_use]
    pub fn cross_site_posts(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.cross_site_posts = self.cross_site_posts.with(paths);
        self
    }

    /// Follows a maintenance switch: while it is on (`true`), everybody is told and counted down, newcomers get the
    /// maintenance page, and who is left at the end is signed out; off again, the pod serves as before. Where it stands
    /// counts, not how often it was moved. Without its sender it stays where it is.
    #[must_use]
    pub fn maintenance(mut self, switch: watch::Receiver<bool>) -> Self {
        self.switch = switch;
        self
    }

    /// Serves until a signal has come and the drain that it begins is over. `signals` may go on after the first:
    /// a second one is what [`crate::SecondSignal`] says.
    ///
    /// # Errors
    /// Where a listener is unusable, or where a part of the service fails, which no request can make it do.
    ///
    /// # Cancel safety
    /// Dropped, it closes every connection at once: nobody is told, and nothing is waited for.
    pub async fn serve(
        self,
        listeners: Listeners,
        signals: impl Stream<Item = Signal> + Send + 'static,
    ) -> Result<(), ServeError> {
        let state = Arc::clone(&self.state);
        let settings = ConnectionSettings::new(state.config.heartbeat_interval)
            .with_keep_alive(state.config.keep_alive_timeout)
            .with_peer_address(state.config.believed_proxies().is_some())
            .with_connection_handle(state.config.store.is_some());
        let connections = Connections::within_open_files();
        let stop = CancellationToken::new();
        let publisher = Publisher::new();
        let metrics = probes::metrics(&state);
        let (with_metrics, metrics_apart) = match listeners.metrics {
            Some(listener) => (self.routes(Router::new()), Some((listener, metrics))),
            None => (self.routes(metrics), None),
        };

        let stop_sharing = CancellationToken::new();
        let mut sharing = match state.sessions.sharing() {
            Some(sharing) => sharing::begin(sharing, &stop_sharing).await,
            None => JoinSet::new(),
        };
        let driver = DrainTask::start(Arc::clone(&state), self.switch.clone()).await;
        let mut parts = JoinSet::new();
        parts.spawn(serve(listeners.http, with_metrics, stop.clone(), settings, connections.clone()));
        if let Some((listener, metrics)) = metrics_apart {
            parts.spawn(serve(listener, metrics, stop.clone(), settings, connections.clone()));
        }
        if let Some(listener) = listeners.grpc {
            let (router, reporter) = introspection::services(&state, &publisher)?;
            parts.spawn(introspection::serve(router, listener, stop.clone(), connections.clone()));
            parts.spawn(introspection::report_health(Arc::clone(&state), reporter, stop.clone()));
        }
        parts.spawn(sweep::sweep(Arc::clone(&state), stop.clone()));
        let mut last_word = JoinSet::new();
        last_word.spawn(introspection::publish(Arc::clone(&state), publisher, state.streams_end.clone()));

        tokio::select! {
            () = driver.drive(signals) => {}
            Some(ended) = parts.join_next() => return Err(ServeError::PartEnded(ended.err())),
            Some(ended) = sharing.join_next() => return Err(ServeError::PartEnded(ended.err())),
            Some(ended) = last_word.join_next() => return Err(ServeError::PartEnded(ended.err())),
        }

        // The streams have been told to end. Watchers hear the pod's last word before their server is told to stop.
        let deadline = Instant::now() + (CLOSING_TIME - sharing::SHUTDOWN_TIMEOUT);
        let _ = timeout_at(deadline, last_word.join_next()).await;
        stop.cancel();
        let all_ended = async { while parts.join_next().await.is_some() {} };
        if timeout_at(deadline, all_ended).await.is_err() {
            warn!(closing.seconds = CLOSING_TIME.as_secs(), "connections were cut that did not end in time");
        }
        if let Some(shared) = state.sessions.sharing() {
            sharing::end(shared, sharing, &stop_sharing).await;
        }
        Ok(())
    }

    /// Probes, metrics and assets stand before the session layer; everything else goes through it.
    fn routes(&self, metrics: Router) -> Router {
        let state = Arc::clone(&self.state);
        let (tracked, posts) = (self.tracked(), self.cross_site_posts.clone());
        let session_layer = service_fn(move |request: Request<Body>| {
            let (state, tracked, posts) = (Arc::clone(&state), tracked.clone(), posts.clone());
            async move {
                let began = Instant::now();
                let response = session_layer::handle(Arc::clone(&state), tracked, posts, request).await;
                state.metrics.request(response.status(), began.elapsed());
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let own = assets::router().merge(probes::probes(&self.state)).merge(metrics);
        self.untracked.clone().merge(own).fallback_service(session_layer)
    }

    fn tracked(&self) -> Router {
        let state = Arc::clone(&self.state);
        let wrong_method = move |request: Request<Body>| async move {
            let detail = "This path exists, but not with this method.";
            let status = StatusCode::METHOD_NOT_ALLOWED;
            page::problem(&*state.pages, request.headers(), status, "Method not allowed", detail)
        };
        let own = Router::new()
            .route("/login", post(account::login))
            .route("/logout", get(account::logout).post(account::logout))
            .route("/session", get(account::session))
            .route("/events", get(events::events))
            .method_not_allowed_fallback(wrong_method)
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT))
            .layer(map_response(security_headers::not_a_page));
        own.fallback_service(self.app.clone()).layer(CatchPanicLayer::new())
    }
}
