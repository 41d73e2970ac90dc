//! The options of the user tier: what people write, and the values that it becomes.
//!
//! Every option is a flag and an environment variable of the same name. Each is taken as text first, so that all
//! faults are found and reported together.

mod introspection;
mod maintenance;
mod raw;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cli::logging::{self, LogFormat};
use cli::options::{self, Environment, Faults};
use cli::{secret, trusted};
use lastcall::store::{RedisStore, SessionStore};
use lastcall::{
    AllowedOrigins, CLOSING_TIME, Config, CookieName, CookieSecure, ForcedEnd, Limits, OriginError, PodName, Policy,
    ReadinessWhileDraining, RoutePrefix, SecondSignal, SessionScope, SessionStart, SigningKeys, StoreAtStart,
};
pub use maintenance::{PageOptions, SwitchOptions};
pub use raw::{Mode, Raw, RawPage};

/// Where the pod listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// `HTTP_ADDR`, default `0.0.0.0:9090`: pages, events, probes.
    pub http: SocketAddr,
    /// `GRPC_ADDR`, default `0.0.0.0:9091`: introspection.
    pub grpc: SocketAddr,
    /// `METRICS_ADDR`, default unset: where set, metrics are served there only.
    pub metrics: Option<SocketAddr>,
}

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the pod listens.
    pub addresses: Addresses,
    /// How the service behaves.
    pub service: Config,
    /// `MAX_STREAMS`, default unset: as many event streams as fit.
    pub max_streams: Option<u64>,
    /// Whether `GRPC_AUTH` is `off`.
    pub open_introspection: bool,
    /// Where the maintenance switch lies.
    pub switch: SwitchOptions,
    /// Whether the signing key was made up for want of `SESSION_KEY`.
    pub random_key: bool,
    /// `LOG_FORMAT`, default `text`.
    pub log_format: LogFormat,
}

impl Options {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let addresses = addresses(raw, &mut faults);
        let (policy, termination_grace_period) = policy(raw, &mut faults);
        let limits = limits(raw, &mut faults);
        let store = store(limits, environment, &mut faults);
        let (keys, random_key, shared_key) = keys(store.is_some(), environment, &mut faults);
        let (grpc_token, open_introspection) = introspection::callers(raw, addresses.grpc, environment, &mut faults);
        let pod = pod_name(raw, environment, &mut faults);
        let trusted = trusted::read(raw.trusted_user_header.as_deref(), raw.trusted_proxies.as_deref(), &mut faults);
        let mut service = Config::new(pod);
        service.policy = policy;
        service.limits = limits;
        service.max_streams_per_session = faults.take(
            "MAX_STREAMS_PER_SESSION",
            options::number(&raw.max_streams_per_session, 1..=10_000).map(|n| usize::try_from(n).unwrap_or(20)),
            service.max_streams_per_session,
        );
        service.keep_alive_timeout =
            faults.take("KEEP_ALIVE_TIMEOUT", options::timeout(&raw.keep_alive_timeout), service.keep_alive_timeout);
        service.heartbeat_interval =
            faults.take("HEARTBEAT_INTERVAL", options::interval(&raw.heartbeat_interval), service.heartbeat_interval);
        service.auto_logout = faults.take("AUTO_LOGOUT", options::switch(&raw.auto_logout), service.auto_logout);
        service.keys = keys.unwrap_or_else(|| service.keys.clone());
        service.shared_key = shared_key;
        service.trusted_proxies = trusted.proxies;
        service.trusted_user = trusted.user;
        service.allowed_origins = allowed_origins(raw, &mut faults);
        service.grpc_token = grpc_token;
        service.store = store;
        service.forced_end = faults.take(
            "FORCED_END",
            options::choice(&raw.forced_end, &[("delete", ForcedEnd::Delete), ("release", ForcedEnd::Release)]),
            ForcedEnd::default(),
        );
        service.termination_grace_period = termination_grace_period;
        service.store_at_start = faults.take(
            "STORE_AT_START",
            options::choice(
                &raw.store_at_start,
                &[("optional", StoreAtStart::Optional), ("required", StoreAtStart::Required)],
            ),
            StoreAtStart::default(),
        );
        service.scope = faults.take(
            "SESSION_SCOPE",
            options::choice(&raw.session_scope, &[("browser", SessionScope::Browser), ("tab", SessionScope::Tab)]),
            SessionScope::default(),
        );
        service.session_start = faults.take(
            "SESSION_START",
            options::choice(
                &raw.session_start,
                &[("any", SessionStart::Any), ("navigation", SessionStart::Navigation)],
            ),
            SessionStart::default(),
        );
        service.session_cookie = faults.take(
            "SESSION_COOKIE",
            CookieName::new(&raw.session_cookie).map_err(|error| format!("{:?} {error}", raw.session_cookie)),
            service.session_cookie,
        );
        service.route_prefix = route_prefix(raw.route_prefix.as_deref(), &mut faults);
        service.cookie_secure = faults.take(
            "COOKIE_SECURE",
            options::choice(
                &raw.cookie_secure,
                &[("auto", CookieSecure::Auto), ("always", CookieSecure::Always), ("never", CookieSecure::Never)],
            ),
            CookieSecure::default(),
        );
        service.maintenance_retry_after = maintenance::retry_after(raw.maintenance_retry_after.as_deref(), &mut faults);
        service.version = cli::version::VERSION.to_owned();
        service.revision = pod_revision(raw, &mut faults);
        let max_streams = options::given(raw.max_streams.as_deref())
            .and_then(|text| faults.take("MAX_STREAMS", options::number(text, 1..=10_000_000).map(Some), None));
        let switch = maintenance::switch(raw, &mut faults);
        let log_format =
            faults.take("LOG_FORMAT", options::choice(&raw.log_format, &LogFormat::CHOICES), LogFormat::default());
        if let Err(fault) = logging::filter(environment) {
            faults.push("RUST_LOG", fault);
        }
        faults.into_result(Self { addresses, service, max_streams, open_introspection, switch, random_key, log_format })
    }
}

fn addresses(raw: &Raw, faults: &mut Faults) -> Addresses {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let addresses = Addresses {
        http: faults.take("HTTP_ADDR", options::address(&raw.http_addr), nowhere),
        grpc: faults.take("GRPC_ADDR", options::address(&raw.grpc_addr), nowhere),
        metrics: options::given(raw.metrics_addr.as_deref())
            .map(|text| faults.take("METRICS_ADDR", options::address(text), nowhere)),
    };
    let named = [("GRPC_ADDR", Some(addresses.grpc)), ("METRICS_ADDR", addresses.metrics)];
    for (index, (name, address)) in named.into_iter().enumerate() {
        let before = [("HTTP_ADDR", Some(addresses.http)), named[0]];
        for (other_name, other) in before.into_iter().take(index + 1) {
            if let (Some(address), Some(other)) = (address, other)
                && address.port() != 0
                && address.port() == other.port()
                && (address.ip() == other.ip() || address.ip().is_unspecified() || other.ip().is_unspecified())
            {
                faults.push(name, format_args!("{address} is taken by {other_name}; give each a port of its own"));
            }
        }
    }
    addresses
}

/// The rules of the drain, and what the pod spec grants for it, where that is given.
fn policy(raw: &Raw, faults: &mut Faults) -> (Policy, Option<Duration>) {
    let defaults = Policy::default();
    let policy = Policy {
        drain_timeout: faults.take("DRAIN_TIMEOUT", options::timeout(&raw.drain_timeout), defaults.drain_timeout),
        progress_interval: faults.take(
            "DRAIN_PROGRESS_INTERVAL",
            options::interval(&raw.drain_progress_interval),
            defaults.progress_interval,
        ),
        propagation_wait: faults.take(
            "PROPAGATION_WAIT",
            options::timeout(&raw.propagation_wait),
            defaults.propagation_wait,
        ),
        readiness_while_draining: faults.take(
            "READINESS_WHILE_DRAINING",
            options::choice(
                &raw.readiness_while_draining,
                &[("fail", ReadinessWhileDraining::Fail), ("hold", ReadinessWhileDraining::Hold)],
            ),
            defaults.readiness_while_draining,
        ),
        maintenance_readiness: maintenance::readiness(&raw.maintenance_readiness, faults),
        second_signal: faults.take(
            "SECOND_SIGNAL",
            options::choice(&raw.second_signal, &[("hurry", SecondSignal::Hurry), ("ignore", SecondSignal::Ignore)]),
            defaults.second_signal,
        ),
    };
    let granted = options::given(raw.termination_grace_period.as_deref())
        .map(|text| faults.take("TERMINATION_GRACE_PERIOD", options::timeout(text), Duration::MAX));
    if let Some(granted) = granted {
        let needed = policy.drain_timeout + policy.propagation_wait + CLOSING_TIME;
        if granted < needed {
            let (granted, needed) = (granted.as_secs_f64(), needed.as_secs_f64());
            faults.push(
                "TERMINATION_GRACE_PERIOD",
                format_args!(
                    "{granted}s is too short: DRAIN_TIMEOUT + PROPAGATION_WAIT + {}s for closing make {needed}s; \
                     raise terminationGracePeriodSeconds or lower the others",
                    CLOSING_TIME.as_secs()
                ),
            );
        }
    }
    (policy, granted)
}

fn limits(raw: &Raw, faults: &mut Faults) -> Limits {
    let (defaults, second) = (Limits::default(), Duration::from_secs(1));
    Limits {
        max_sessions: faults.take(
            "MAX_SESSIONS",
            options::number(&raw.max_sessions, 1..=10_000_000),
            defaults.max_sessions,
        ),
        session_ttl: faults.take(
            "SESSION_TTL",
            options::duration(&raw.session_ttl, second..=options::MAX_TIMEOUT * 365),
            defaults.session_ttl,
        ),
        presence_linger: faults.take(
            "PRESENCE_LINGER",
            options::timeout(&raw.presence_linger),
            defaults.presence_linger,
        ),
        streamless_linger: faults.take(
            "STREAMLESS_LINGER",
            options::timeout(&raw.streamless_linger),
            defaults.streamless_linger,
        ),
    }
}

fn allowed_origins(raw: &Raw, faults: &mut Faults) -> AllowedOrigins {
    let Some(text) = options::given(raw.allowed_origins.as_deref()) else { return AllowedOrigins::default() };
    let origins = text.parse().map_err(|error: OriginError| error.to_string());
    faults.take("ALLOWED_ORIGINS", origins, AllowedOrigins::default())
}

/// The path in front of the own routes, which is none by default.
fn route_prefix(text: Option<&str>, faults: &mut Faults) -> RoutePrefix {
    let Some(text) = options::given(text) else { return RoutePrefix::default() };
    let prefix = RoutePrefix::new(text).map_err(|error| format!("{text:?} {error}"));
    faults.take("ROUTE_PREFIX", prefix, RoutePrefix::default())
}

/// Where sessions are kept: in Redis where `REDIS_URL` is given.
fn store(limits: Limits, environment: &dyn Environment, faults: &mut Faults) -> Option<Arc<dyn SessionStore>> {
    let url = secret::read("REDIS_URL", environment, faults)?;
    match RedisStore::new(url.expose(), limits.session_ttl) {
        Ok(store) => Some(Arc::new(store)),
        Err(error) => {
            faults.push("REDIS_URL", error);
            None
        }
    }
}

/// The signing keys, whether they were made up for want of any, and whether the pods agree on one.
fn keys(is_shared: bool, environment: &dyn Environment, faults: &mut Faults) -> (Option<SigningKeys>, bool, bool) {
    let known_faults = faults.clone();
    let Some(secret) = secret::read("SESSION_KEY", environment, faults) else {
        return (None, *faults == known_faults, false);
    };
    if secret.expose().trim() == "shared" {
        if !is_shared && environment.get("REDIS_URL").or_else(|| environment.get("REDIS_URL_FILE")).is_none() {
            faults.push("SESSION_KEY", "`shared` needs REDIS_URL, where the pods agree on a key; or give a secret");
        }
        return (None, false, true);
    }
    let secrets = secret.expose().split(',').map(|secret| secret.trim().as_bytes());
    match SigningKeys::from_secrets(secrets) {
        Ok(keys) => (Some(keys), false, false),
        Err(weak) => {
            faults.push("SESSION_KEY", format_args!("{weak}; make one with `openssl rand -base64 48`"));
            (None, false, false)
        }
    }
}

fn pod_name(raw: &Raw, environment: &dyn Environment, faults: &mut Faults) -> PodName {
    let name = options::given(raw.pod_name.as_deref()).map(str::to_owned).or_else(|| environment.get("HOSTNAME"));
    let name = name.unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
    PodName::new(&name).unwrap_or_else(|| {
        faults.push("POD_NAME", format_args!("{name:?} is no name; write one line of at most 253 characters"));
        placeholder()
    })
}

fn pod_revision(raw: &Raw, faults: &mut Faults) -> Arc<str> {
    let revision = options::given(raw.pod_revision.as_deref()).unwrap_or(cli::version::VERSION);
    if revision.chars().count() > 100 || revision.chars().any(char::is_control) {
        faults.push("POD_REVISION", "is no name of a revision; write one line of at most 100 characters");
    }
    revision.into()
}

/// Stands where a faulty name was, until the faults are reported.
fn placeholder() -> PodName {
    PodName::new("pod").unwrap_or_else(|| unreachable!("a constant name"))
}
