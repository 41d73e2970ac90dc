//! Lastcall drains pods with people on them: your axum [`Router`](axum::Router) in, a tracked and drained service out.
//!
//! Every visitor becomes a session. On SIGTERM each one is told in their browser by a server-sent event, with a true
//! countdown; the service waits for them, ends who is left, lets the endpoints propagate, and returns.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use lastcall::{Lastcall, Listeners, PodName, Session};
//!
//! async fn hello(session: Session) -> String {
//!     format!("Hello, {}!", session.user())
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let signals = lastcall::signals()?;
//! let http = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let lastcall = Lastcall::builder(PodName::new("pod-1").ok_or("no name")?).build();
//! let app = Router::new().route("/", get(hello));
//! lastcall.serve(app, Listeners::http(http), signals).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The service brings `/login`, `/logout`, `/session`, `/events`, the probes and `/metrics`; the app brings the rest,
//! and may bring its own [`Pages`]. A page of the app gets banner and countdown by one tag:
//! `<script src="/assets/lastcall.js" defer></script>` ([`SCRIPT_PATH`]). Nothing here is global: two services in one process do not know each other.
//!
//! The rules of the drain are not here: they are a pure machine in `session-domain`. This crate performs them.

mod account;
mod assets;
mod background;
mod builder;
mod caller;
mod clock;
mod config;
mod cookie;
mod cross_site_posts;
mod drain;
mod error;
mod events;
mod eviction;
mod extract;
mod found;
mod handle;
mod hooks;
mod introspection;
mod layers;
mod maintenance_page;
mod metrics;
mod names;
mod notice;
mod notices;
mod own_routes;
mod page;
mod presence;
mod probes;
mod refusal;
mod request_context;
mod request_kind;
mod route_kind;
mod routes;
mod running_notice;
mod scope;
mod serve;
mod service_state;
mod session;
mod sessions;
mod sharing;
mod sign_in;
mod signals;
mod signed_in;
pub mod store;
mod streams;
mod sweep;

pub use assets::{RELOAD_SCRIPT, SCRIPT_PATH, WAITING_SCRIPT};
pub use builder::Builder;
pub use config::{Config, CookieSecure, ForcedEnd, SessionScope, SessionStart, StoreAtStart};
pub use cookie::{MIN_SECRET_BYTES, SigningKeys, WeakSecret};
pub use error::{AlreadyStarted, ServeError};
pub use handle::Lastcall;
pub use hooks::{Login, SessionEnd};
pub use http_support::{AllowedOrigins, Networks, OriginError, Token, TrustedUser};
pub use layers::{LastcallLayer, LastcallService, ResponseFuture};
pub use maintenance_page::serve_maintenance_page;
pub use names::{CookieName, InvalidCookieName, InvalidRoutePrefix, RoutePrefix};
pub use notice::DrainNotice;
pub use notices::Notices;
pub use page::{Page, Pages, PlainPages, problem};
pub use refusal::Refusal;
pub use serve::{CLOSING_TIME, Listeners};
pub use session::Session;
pub use session_domain::lifecycle::{MaintenanceReadiness, Policy, ReadinessWhileDraining, SecondSignal, Signal};
pub use session_domain::registry::Limits;
pub use session_domain::{ANONYMOUS, MAX_USER_CHARS, Outcome, PodName, SessionId, Timestamp, UserName};
pub use sign_in::SignIn;
pub use signals::signals;
pub use signed_in::{SignedIn, SignedOut};

/// The README and the guide to embedding, so that the code in them is compiled with the examples of the documentation.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/embedding.md")]
    mod embedding {}
}
