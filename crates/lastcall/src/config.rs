//! The settings of a service, validated. Every default is the contract's.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::HeaderValue;
use http_support::{AllowedOrigins, Networks, Token, TrustedUser};
use session_domain::PodName;
use session_domain::lifecycle::Policy;
use session_domain::registry::Limits;

use crate::cookie_name::CookieName;
use crate::route_prefix::RoutePrefix;
use crate::signing_keys::SigningKeys;
use crate::store::SessionStore;

/// What one cookie stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionScope {
    /// One session for a cookie jar.
    #[default]
    Browser,
    /// Every opened tab is a session of its own, under a random path of its own. With [`Lastcall::serve`](crate::Lastcall::serve) only.
    Tab,
}

/// Which requests can start a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionStart {
    /// Navigations, and `GET`s whose `Accept` is absent or `*/*`.
    #[default]
    Any,
    /// Navigations only.
    Navigation,
}

/// When the cookie is marked `Secure` and carries a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieSecure {
    /// Where the request came in by HTTPS, as `X-Forwarded-Proto` (`https`, `wss`) says, or where that is missing `Forwarded`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a forced end does to a shared session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForcedEnd {
    /// Deletes it: the user has to sign in again.
    #[default]
    Delete,
    /// Releases it: the stream ends, and the user goes on at another pod.
    Release,
}

/// What a pod does at the start without its store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreAtStart {
    /// Becomes ready without it after 3 s, and shares sessions once it answers.
    #[default]
    Optional,
    /// Is not ready until it has taken a write once.
    Required,
}

/// How a service behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name of this pod: the `pod` of every session here.
    pub pod: PodName,
    /// The rules of the drain.
    pub policy: Policy,
    /// The bounds of the registry.
    pub limits: Limits,
    /// Event streams that one session may have open, at least 1; one more ends the oldest.
    pub max_streams_per_session: usize,
    /// Event streams that all sessions together may have open; above it `/events` answers 503.
    pub max_streams: u64,
    /// How long an idle connection is kept.
    pub keep_alive_timeout: Duration,
    /// The time between two heartbeats of an event stream.
    pub heartbeat_interval: Duration,
    /// Whether browsers leave by themselves at the end of a countdown.
    pub auto_logout: bool,
    /// `Retry-After` of the maintenance page, which then says in what time it should be over. None: 30 min, and the page names
    /// no time.
    pub maintenance_retry_after: Option<Duration>,
    /// What signs the cookie.
    pub keys: SigningKeys,
    /// What one cookie stands for. Behind [`Lastcall::layer`](crate::Lastcall::layer), on a server of the app's own, always
    /// [`SessionScope::Browser`]: the paths of tabs need [`Lastcall::serve`](crate::Lastcall::serve).
    pub scope: SessionScope,
    /// Which requests can start a session. A login can in either case. Of the requests to a [foreign app](crate::Builder::foreign_app) only
    /// navigations can.
    pub session_start: SessionStart,
    /// Whether the app is not built on this library and stands behind a proxy: [`Builder::foreign_app`](crate::Builder::foreign_app). Its
    /// pages then report by `POST /blocked` that their script cannot connect, which `lastcall_pages_without_notice_total` counts.
    pub foreign_app: bool,
    /// The path of the app's own logout, to which the script of a page posts after a click on `Logout Now`:
    /// [`Builder::logout_redirect`](crate::Builder::logout_redirect).
    pub logout_redirect: Option<HeaderValue>,
    /// How many sessions one client address may start a minute, and at once; above it newcomers get 429. None: no limit. IPv6 addresses
    /// count by their network of 64 bits. The address is the peer's, or the last one in `X-Forwarded-For` that is not in
    /// `trusted_proxies`; requests without a peer address are not limited.
    pub newcomers_per_minute: Option<NonZeroU32>,
    /// The name of the cookie, without its prefix.
    pub session_cookie: CookieName,
    /// The path in front of Lastcall's own routes that browsers use: `/login`, `/logout`, `/session`, `/events`, and the scripts.
    pub route_prefix: RoutePrefix,
    /// Whether `/login` is one of the own routes: not where the app has its own.
    pub login_route: bool,
    /// Whether `/metrics` is one of the own routes: not where the app has its own.
    pub metrics_route: bool,
    /// Whether `/health`, `/healthz`, `/ready` and `/readyz` are own routes: not where the app has its own.
    pub probes_route: bool,
    /// When the cookie is `Secure`.
    pub cookie_secure: CookieSecure,
    /// The networks of the proxies in front, whose `X-Forwarded-*` and `Forwarded` are believed; those of other peers are taken
    /// away before the app sees them. None: those of `trusted_user`. If neither is set, the scheme is accepted from every peer
    /// and the host from none.
    ///
    /// On a server of the app's own, requests have to carry the address of their peer as
    /// [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo): serve the app by
    /// [`into_make_service_with_connect_info`](axum::Router::into_make_service_with_connect_info). Without it no peer is a proxy, and
    /// an error is logged once.
    pub trusted_proxies: Option<Networks>,
    /// Who names users, where they do not name themselves: a proxy that passes a header on.
    /// Needs the address of the peer, as `trusted_proxies` does.
    pub trusted_user: Option<TrustedUser>,
    /// Origins whose pages may post here, besides our own.
    pub allowed_origins: AllowedOrigins,
    /// What callers of introspection and reflection have to present. `None`: no authentication. Health is always open.
    pub grpc_token: Option<Token>,
    /// Where sessions are kept so that they outlive the pod; none: in the memory of this pod.
    pub store: Option<Arc<dyn SessionStore>>,
    /// Whether the pods that share the store agree on a signing key there. `keys` verifies then as well. Means nothing
    /// without a store.
    pub shared_key: bool,
    /// What a forced end does to a shared session. Means nothing without a store.
    pub forced_end: ForcedEnd,
    /// What the pod does at the start without its store. A store that refuses the login keeps the pod from becoming ready in
    /// either case. Means nothing without a store.
    pub store_at_start: StoreAtStart,
    /// What Kubernetes grants from the signal to the kill, where it is known: sessions that have ended while the store was
    /// away are written as long as it lasts.
    pub termination_grace_period: Option<Duration>,
    /// Log lines that were dropped, counted by the log writer. Shown as a metric.
    pub dropped_log_lines: Arc<AtomicU64>,
    /// The software's version and revision, shown over introspection.
    pub version: String,
    /// The name of the Deployment's revision that this pod belongs to, shown over introspection.
    pub revision: Arc<str>,
}

impl Config {
    /// The defaults, for a pod of this name, with random signing keys: cookies end with the process.
    pub fn new(pod: PodName) -> Self {
        Self {
            pod,
            policy: Policy::default(),
            limits: Limits::default(),
            max_streams_per_session: 20,
            max_streams: 100_000,
            keep_alive_timeout: Duration::from_secs(75),
            heartbeat_interval: Duration::from_secs(15),
            auto_logout: true,
            maintenance_retry_after: None,
            keys: SigningKeys::random(),
            scope: SessionScope::default(),
            session_start: SessionStart::default(),
            foreign_app: false,
            logout_redirect: None,
            newcomers_per_minute: None,
            session_cookie: CookieName::default(),
            route_prefix: RoutePrefix::default(),
            login_route: true,
            metrics_route: true,
            probes_route: true,
            cookie_secure: CookieSecure::default(),
            trusted_proxies: None,
            trusted_user: None,
            allowed_origins: AllowedOrigins::default(),
            grpc_token: None,
            store: None,
            shared_key: false,
            forced_end: ForcedEnd::default(),
            store_at_start: StoreAtStart::default(),
            termination_grace_period: None,
            dropped_log_lines: Arc::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// The networks whose word of the request is believed, where any are named.
    pub(crate) fn believed_proxies(&self) -> Option<&Networks> {
        self.trusted_proxies.as_ref().or_else(|| self.trusted_user.as_ref().map(TrustedUser::proxies))
    }
}
