//! Drains pods that have users on them. Lastcall tracks the users of an [axum](https://docs.rs/axum) app as sessions. When the process is told to stop,
//! every user sees a banner with a true countdown, the service waits until they have logged out or the time is over, and only then the server
//! stops. The app keeps its own login, server, TLS and metrics.
//!
//! # The smallest program
//!
//! A layer around the app, Lastcall's own routes, and a future that says when to stop:
//!
//! ```no_run
//! use axum::{Router, response::Html, routing::get};
//! use lastcall::{Lastcall, PodName, Session};
//!
//! async fn page(session: Session) -> Html<String> {
//!     Html(format!("<script src=/assets/lastcall.js defer></script><h1>Hello, {}!</h1>", session.user()))
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let lastcall = Lastcall::builder(PodName::new("pod-1").ok_or("a pod needs a name")?).build();
//! let app = Router::new().route("/", get(page)).layer(lastcall.layer()).merge(lastcall.routes());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).with_graceful_shutdown(lastcall.drained()).await?;
//! lastcall.finish().await?;
//! # Ok(())
//! # }
//! ```
//!
//! SIGTERM or SIGINT begins the drain. The script tag ([`SCRIPT_PATH`]) brings banner, countdown and logout to the page. A handler that takes
//! a [`Session`] has the caller's session, and starts one for a newcomer; one that takes none leaves the caller untracked.
//!
//! `axum::serve` stops accepting connections as soon as its signal completes. [`Lastcall::drained`] completes when the drain is over, so
//! users reach the pod until then. Any other server works the same way: the example `axum_serve` does it with `axum-server` and TLS.
//!
//! # On your own server: four duties
//!
//! - **Peer addresses.** With [`Config::trusted_proxies`] or [`Config::trusted_user`], serve the app by
//!   `into_make_service_with_connect_info::<SocketAddr>()`: proxies are recognized by the address of the peer.
//! - **A deadline.** `axum::serve` waits for open connections without a limit. Give the wait a limit after [`Lastcall::drained`].
//! - **Maintenance.** [`Builder::maintenance`] follows a switch of the app's own. The drain task reads it: call [`Lastcall::start`] or
//!   [`Lastcall::drained`] before the listener accepts.
//! - **The store.** With [`Config::store`], call [`Lastcall::finish`] after the server has stopped: it writes what the store has yet to get.
//!
//! # The bundled way
//!
//! [`Lastcall::serve`] takes the app and the listeners, and is a server as well:
//!
//! ```no_run
//! # use axum::Router;
//! # use lastcall::{Lastcall, Listeners, PodName};
//! # async fn run(lastcall: Lastcall, app: Router) -> Result<(), Box<dyn std::error::Error>> {
//! let http = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! lastcall.serve(app, Listeners::http(http), lastcall::signals()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! It gives what `axum::serve` does not: a time limit for request heads, bounded buffers (half the memory for an open event stream), connections
//! within the limit of open files, metrics on a listener of their own, introspection over gRPC for the admin tier, a session for each
//! tab ([`SessionScope::Tab`]), and a deadline for the connections that are open at the end ([`CLOSING_TIME`]).
//!
//! # An app with its own login
//!
//! Lastcall asks for no password. An app that knows its users names them, so that they are known by name where sessions are listed:
//!
//! ```
//! use axum::response::{IntoResponse, Redirect};
//! use lastcall::{Refusal, Session, SignIn, UserName};
//!
//! async fn signed_in(sign_in: SignIn) -> Result<impl IntoResponse, Refusal> {
//!     // The app has verified who this is.
//!     let signed_in = sign_in.name_user(UserName::from_input("ada")).await?;
//!     Ok((signed_in, Redirect::to("/")))
//! }
//!
//! async fn sign_out(session: Session) -> impl IntoResponse {
//!     (session.sign_out().await, Redirect::to("/login"))
//! }
//! ```
//!
//! A route prefix moves Lastcall's own `/login`, `/logout`, `/session` and `/events` out of the app's way; the builder leaves out those
//! that the app replaces. Hooks tell the app of every login and every end.
//!
//! # Background jobs
//!
//! [`Lastcall::notices`] tells work beside requests when to stop:
//!
//! ```
//! # use lastcall::Notices;
//! # async fn step() {}
//! async fn job(mut notices: Notices) {
//!     loop {
//!         tokio::select! {
//!             notice = notices.started() => return eprintln!("{} s left: the job stops", notice.countdown),
//!             () = step() => {}
//!         }
//!     }
//! }
//! ```
//!
//! # Metrics
//!
//! Each handle has a Prometheus exporter of its own, at `/metrics` or as [`Lastcall::render_metrics`]. The app's metrics and Lastcall's
//! come together either way: [`Lastcall::recorder`] is a recorder for the app (`metrics::set_global_recorder(lastcall.recorder())`), and
//! [`Builder::metrics_recorder`] takes a recorder of the app's.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `redis` | on | `store::RedisStore`: sessions outlive their pod, and other pods take them over |
//! | `introspection` | on | the gRPC service that the admin tier watches: `Listeners::grpc` |
//!
//! Without them neither redis nor tonic is compiled. A store of one's own implements [`store::SessionStore`].
//!
//! # What it does not do
//!
//! - It authenticates no user and protects no route.
//! - It keeps no data of the app in its sessions.
//! - It has no global state: two handles in one process share nothing, the signals of the process excepted.
//! - It decides nothing about draining by itself: the rules are a pure state machine in `session-domain`, which this crate performs.

mod assets;
mod background;
mod builder;
mod bypass;
mod clock;
mod closers;
mod config;
mod control;
mod cookie;
mod cookie_name;
mod cross_site_posts;
mod dependencies;
mod drain;
mod encoded_event;
mod error;
mod event_streams;
mod events;
mod eviction;
mod extract;
mod foreign;
mod handle;
mod handoff;
mod hooks;
#[cfg(feature = "introspection")]
mod introspection;
mod layers;
mod maintenance_page;
/// The crate `metrics`, whose recorders [`Builder::metrics_recorder`] takes: an app that records by `lastcall::metrics::counter!` has the
/// version that Lastcall has.
pub mod metrics;
mod newcomers;
mod notice;
mod notices;
mod page;
mod page_reports;
mod presence;
mod probes;
mod refusal;
mod request_context;
mod request_facts;
mod request_kind;
mod resolved_session;
mod route_kind;
mod route_prefix;
mod routes;
mod running_notice;
mod scope;
mod scrape;
mod serve;
mod service_state;
mod session;
mod session_routes;
mod sessions;
mod setup_faults;
mod sharing;
mod sign_in;
mod signals;
mod signed_in;
mod signing_keys;
pub mod store;
mod store_health;
mod sweep;
mod tasks;
mod transfers;
mod websocket;

pub use assets::{RELOAD_SCRIPT, SCRIPT_PATH, WAITING_SCRIPT};
pub use builder::Builder;
pub use closers::CloseResult;
pub use config::{Config, CookieSecure, ForcedEnd, SessionScope, SessionStart, StoreAtStart};

pub use cookie_name::{CookieName, InvalidCookieName};
pub use error::{AlreadyStarted, ServeError};
pub use foreign::ForeignRequest;
pub use handle::Lastcall;
pub use hooks::{Login, SessionEnd};
pub use http_support::{AllowedOrigins, Networks, OriginError, Token, TrustedUser};
pub use layers::{LastcallLayer, LastcallService, ResponseFuture};
pub use maintenance_page::{DEFAULT_RETRY_AFTER, serve_maintenance_page};
pub use metrics::{AppRecorder, HISTOGRAM_BUCKETS};
pub use notice::DrainNotice;
pub use notices::Notices;
pub use page::{Page, Pages, PlainPages, problem};
pub use page_reports::PageWithoutNotice;
pub use refusal::Refusal;
pub use route_prefix::{InvalidRoutePrefix, RoutePrefix};
pub use serve::{CLOSING_TIME, Listeners, ProbeListener};
pub use session::Session;
pub use session_domain::lifecycle::{
    HandoffPolicy, MaintenanceReadiness, Policy, ReadinessWhileDraining, SecondSignal, Signal,
};
pub use session_domain::registry::Limits;
pub use session_domain::{
    ANONYMOUS, MAX_USER_CHARS, Outcome, PodName, SessionId, TaskId, TaskOutcome, Timestamp, UserName,
};
pub use sign_in::SignIn;
pub use signals::signals;
pub use signed_in::{SignedIn, SignedOut};
pub use signing_keys::{MIN_SECRET_BYTES, SigningKeys, WeakSecret};
pub use tasks::Task;
pub use websocket::{TunnelGuard, UpgradeRejection, WebSocket, WebSocketClosed, WebSocketMessage, WebSocketUpgrade};

/// The README and the guide to embedding, so that the code in them is compiled with the examples of the documentation.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/embedding.md")]
    mod embedding {}
}
