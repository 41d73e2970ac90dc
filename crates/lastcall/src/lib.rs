//! Lastcall drains pods with people on them: your axum [`Router`](axum::Router) in, a tracked and drained service out.
//!
//! Every visitor becomes a session. On SIGTERM each one is told in their browser by a server-sent event, with a true
//! countdown; the service waits for them, ends who is left, lets the endpoints propagate, and returns.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use lastcall::{Config, Listeners, PodName, Service, Session};
//!
//! async fn hello(session: Session) -> String {
//!     format!("Hello, {}!", session.user())
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let signals = lastcall::signals()?;
//! let http = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let config = Config::new(PodName::new("pod-1").ok_or("no name")?);
//! Service::new(Router::new().route("/", get(hello)), config).serve(Listeners::http(http), signals).await?;
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
mod admission;
mod assets;
mod clock;
mod config;
mod cookie;
mod drain;
mod events;
mod eviction;
mod identity;
mod introspection;
mod maintenance_page;
mod metrics;
mod notice;
mod origin;
mod page;
mod presence;
mod probes;
mod replaced;
mod request_kind;
mod resolve;
mod scope;
mod service;
mod service_state;
mod session;
mod session_layer;
mod sessions;
mod sharing;
mod sign_in;
mod signals;
pub mod store;
mod streams;
mod sweep;
mod trusted;

pub use assets::{RELOAD_SCRIPT, SCRIPT_PATH, WAITING_SCRIPT};
pub use config::{Config, CookieSecure, ForcedEnd, SessionScope, SessionStart, StoreAtStart};
pub use cookie::{MIN_SECRET_BYTES, SigningKeys, WeakSecret};
pub use http_support::{AllowedOrigins, Networks, OriginError, Token, TrustedUser};
pub use maintenance_page::serve_maintenance_page;
pub use notice::DrainNotice;
pub use page::{Page, Pages, PlainPages, problem};
pub use service::{CLOSING_TIME, Listeners, ServeError, Service};
pub use session::Session;
pub use session_domain::lifecycle::{MaintenanceReadiness, Policy, ReadinessWhileDraining, SecondSignal, Signal};
pub use session_domain::registry::Limits;
pub use session_domain::{ANONYMOUS, MAX_USER_CHARS, PodName, SessionId, Timestamp, UserName};
pub use sign_in::{SignIn, SignedIn};
pub use signals::signals;

/// The README and the guide to embedding, so that the code in them is compiled with the examples of the documentation.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/embedding.md")]
    mod embedding {}
}
