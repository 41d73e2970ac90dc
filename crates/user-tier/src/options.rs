//! The options of the user tier: what people write, and the values that it becomes.
//!
//! Every option is a flag and an environment variable of the same name. Each is taken as text first, so that all
//! errors are found and reported together.

mod introspection;
mod maintenance;
mod raw;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cli::logging::{self, LogFormat};
use cli::options::{self, Environment, OptionErrors};
use cli::{proxy_options, secret};
use lastcall::store::{RedisStore, SessionStore};
use lastcall::{
    AllowedOrigins, CLOSING_TIME, Config, CookieSecure, ForcedEnd, Limits, OriginError, PodName, Policy,
    ReadinessWhileDraining, SecondSignal, SessionScope, SessionStart, SigningKeys, StoreAtStart,
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
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let addresses = addresses(raw, &mut errors);
        let (policy, termination_grace_period) = policy(raw, &mut errors);
        let limits = limits(raw, &mut errors);
        let store = store(limits, environment, &mut errors);
        let (keys, random_key, shared_key) = keys(store.is_some(), environment, &mut errors);
        let (grpc_token, open_introspection) = introspection::callers(raw, addresses.grpc, environment, &mut errors);
        let pod = pod_name(raw, environment, &mut errors);
        let trusted =
            proxy_options::read(raw.trusted_user_header.as_deref(), raw.trusted_proxies.as_deref(), &mut errors);
        let defaults = Config::new(pod);
        let service = Config {
            policy,
            limits,
            max_streams_per_session: errors.value_or(
                "MAX_STREAMS_PER_SESSION",
                options::number(&raw.max_streams_per_session, 1..=10_000).map(|n| usize::try_from(n).unwrap_or(20)),
                defaults.max_streams_per_session,
            ),
            keep_alive_timeout: errors.value_or(
                "KEEP_ALIVE_TIMEOUT",
                options::timeout(&raw.keep_alive_timeout),
                defaults.keep_alive_timeout,
            ),
            heartbeat_interval: errors.value_or(
                "HEARTBEAT_INTERVAL",
                options::interval(&raw.heartbeat_interval),
                defaults.heartbeat_interval,
            ),
            auto_logout: errors.value_or("AUTO_LOGOUT", options::switch(&raw.auto_logout), defaults.auto_logout),
            keys: keys.unwrap_or(defaults.keys),
            shared_key,
            trusted_proxies: trusted.proxies,
            trusted_user: trusted.user,
            allowed_origins: allowed_origins(raw, &mut errors),
            grpc_token,
            store,
            forced_end: errors.value_or(
                "FORCED_END",
                options::choice(&raw.forced_end, &[("delete", ForcedEnd::Delete), ("release", ForcedEnd::Release)]),
                ForcedEnd::default(),
            ),
            termination_grace_period,
            store_at_start: errors.value_or(
                "STORE_AT_START",
                options::choice(
                    &raw.store_at_start,
                    &[("optional", StoreAtStart::Optional), ("required", StoreAtStart::Required)],
                ),
                StoreAtStart::default(),
            ),
            scope: errors.value_or(
                "SESSION_SCOPE",
                options::choice(&raw.session_scope, &[("browser", SessionScope::Browser), ("tab", SessionScope::Tab)]),
                SessionScope::default(),
            ),
            session_start: errors.value_or(
                "SESSION_START",
                options::choice(
                    &raw.session_start,
                    &[("any", SessionStart::Any), ("navigation", SessionStart::Navigation)],
                ),
                SessionStart::default(),
            ),
            cookie_secure: errors.value_or(
                "COOKIE_SECURE",
                options::choice(
                    &raw.cookie_secure,
                    &[("auto", CookieSecure::Auto), ("always", CookieSecure::Always), ("never", CookieSecure::Never)],
                ),
                CookieSecure::default(),
            ),
            maintenance_retry_after: maintenance::retry_after(raw.maintenance_retry_after.as_deref(), &mut errors),
            version: cli::version::VERSION.to_owned(),
            revision: pod_revision(raw, &mut errors),
            ..defaults
        };
        let max_streams = options::non_empty(raw.max_streams.as_deref())
            .and_then(|text| errors.value_or("MAX_STREAMS", options::number(text, 1..=10_000_000).map(Some), None));
        let switch = maintenance::switch(raw, &mut errors);
        let log_format =
            errors.value_or("LOG_FORMAT", options::choice(&raw.log_format, &LogFormat::CHOICES), LogFormat::default());
        if let Err(fault) = logging::filter(environment) {
            errors.push("RUST_LOG", fault);
        }
        errors.into_result(Self { addresses, service, max_streams, open_introspection, switch, random_key, log_format })
    }
}

fn addresses(raw: &Raw, errors: &mut OptionErrors) -> Addresses {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let addresses = Addresses {
        http: errors.value_or("HTTP_ADDR", options::address(&raw.http_addr), nowhere),
        grpc: errors.value_or("GRPC_ADDR", options::address(&raw.grpc_addr), nowhere),
        metrics: options::non_empty(raw.metrics_addr.as_deref())
            .map(|text| errors.value_or("METRICS_ADDR", options::address(text), nowhere)),
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
                errors.push(name, format_args!("{address} is taken by {other_name}; give each a port of its own"));
            }
        }
    }
    addresses
}

/// The rules of the drain, and what the pod spec grants for it, where that is given.
fn policy(raw: &Raw, errors: &mut OptionErrors) -> (Policy, Option<Duration>) {
    let defaults = Policy::default();
    let policy = Policy {
        drain_timeout: errors.value_or("DRAIN_TIMEOUT", options::timeout(&raw.drain_timeout), defaults.drain_timeout),
        progress_interval: errors.value_or(
            "DRAIN_PROGRESS_INTERVAL",
            options::interval(&raw.drain_progress_interval),
            defaults.progress_interval,
        ),
        propagation_wait: errors.value_or(
            "PROPAGATION_WAIT",
            options::timeout(&raw.propagation_wait),
            defaults.propagation_wait,
        ),
        readiness_while_draining: errors.value_or(
            "READINESS_WHILE_DRAINING",
            options::choice(
                &raw.readiness_while_draining,
                &[("fail", ReadinessWhileDraining::Fail), ("hold", ReadinessWhileDraining::Hold)],
            ),
            defaults.readiness_while_draining,
        ),
        maintenance_readiness: maintenance::readiness(&raw.maintenance_readiness, errors),
        second_signal: errors.value_or(
            "SECOND_SIGNAL",
            options::choice(&raw.second_signal, &[("hurry", SecondSignal::Hurry), ("ignore", SecondSignal::Ignore)]),
            defaults.second_signal,
        ),
    };
    let granted = options::non_empty(raw.termination_grace_period.as_deref())
        .map(|text| errors.value_or("TERMINATION_GRACE_PERIOD", options::timeout(text), Duration::MAX));
    if let Some(granted) = granted {
        let needed = policy.drain_timeout + policy.propagation_wait + CLOSING_TIME;
        if granted < needed {
            let (granted, needed) = (granted.as_secs_f64(), needed.as_secs_f64());
            errors.push(
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

fn limits(raw: &Raw, errors: &mut OptionErrors) -> Limits {
    let (defaults, second) = (Limits::default(), Duration::from_secs(1));
    Limits {
        max_sessions: errors.value_or(
            "MAX_SESSIONS",
            options::number(&raw.max_sessions, 1..=10_000_000),
            defaults.max_sessions,
        ),
        session_ttl: errors.value_or(
            "SESSION_TTL",
            options::duration(&raw.session_ttl, second..=options::MAX_TIMEOUT * 365),
            defaults.session_ttl,
        ),
        presence_linger: errors.value_or(
            "PRESENCE_LINGER",
            options::timeout(&raw.presence_linger),
            defaults.presence_linger,
        ),
        streamless_linger: errors.value_or(
            "STREAMLESS_LINGER",
            options::timeout(&raw.streamless_linger),
            defaults.streamless_linger,
        ),
    }
}

fn allowed_origins(raw: &Raw, errors: &mut OptionErrors) -> AllowedOrigins {
    let Some(text) = options::non_empty(raw.allowed_origins.as_deref()) else { return AllowedOrigins::default() };
    let origins = text.parse().map_err(|error: OriginError| error.to_string());
    errors.value_or("ALLOWED_ORIGINS", origins, AllowedOrigins::default())
}

/// Where sessions are kept: in Redis where `REDIS_URL` is given.
fn store(limits: Limits, environment: &dyn Environment, errors: &mut OptionErrors) -> Option<Arc<dyn SessionStore>> {
    let url = secret::read("REDIS_URL", environment, errors)?;
    match RedisStore::new(url.expose(), limits.session_ttl) {
        Ok(store) => Some(Arc::new(store)),
        Err(error) => {
            errors.push("REDIS_URL", error);
            None
        }
    }
}

/// The signing keys, whether they were made up for want of any, and whether the pods agree on one.
fn keys(
    is_shared: bool,
    environment: &dyn Environment,
    errors: &mut OptionErrors,
) -> (Option<SigningKeys>, bool, bool) {
    let known_faults = errors.clone();
    let Some(secret) = secret::read("SESSION_KEY", environment, errors) else {
        return (None, *errors == known_faults, false);
    };
    if secret.expose().trim() == "shared" {
        if !is_shared && environment.get("REDIS_URL").or_else(|| environment.get("REDIS_URL_FILE")).is_none() {
            errors.push("SESSION_KEY", "`shared` needs REDIS_URL, where the pods agree on a key; or give a secret");
        }
        return (None, false, true);
    }
    let secrets = secret.expose().split(',').map(|secret| secret.trim().as_bytes());
    match SigningKeys::from_secrets(secrets) {
        Ok(keys) => (Some(keys), false, false),
        Err(weak) => {
            errors.push("SESSION_KEY", format_args!("{weak}; make one with `openssl rand -base64 48`"));
            (None, false, false)
        }
    }
}

fn pod_name(raw: &Raw, environment: &dyn Environment, errors: &mut OptionErrors) -> PodName {
    let name = options::non_empty(raw.pod_name.as_deref()).map(str::to_owned).or_else(|| environment.get("HOSTNAME"));
    let name = name.unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned());
    PodName::new(&name).unwrap_or_else(|| {
        errors.push("POD_NAME", format_args!("{name:?} is no name; write one line of at most 253 characters"));
        placeholder()
    })
}

fn pod_revision(raw: &Raw, errors: &mut OptionErrors) -> Arc<str> {
    let revision = options::non_empty(raw.pod_revision.as_deref()).unwrap_or(cli::version::VERSION);
    if revision.chars().count() > 100 || revision.chars().any(char::is_control) {
        errors.push("POD_REVISION", "is no name of a revision; write one line of at most 100 characters");
    }
    revision.into()
}

/// Stands where a faulty name was, until the errors are reported.
fn placeholder() -> PodName {
    PodName::new("pod").unwrap_or_else(|| unreachable!("a constant name"))
}
