//! The options of the admin tier, parsed into validated values.

mod auth;
mod raw;

use std::net::SocketAddr;
use std::time::Duration;

pub use auth::AdminAuth;
use cli::logging::{self, LogFormat};
use cli::options::{self, Environment, Faults};
use cli::secret::{self, Secret};
use fleet::FORGET_AFTER;
use http_support::{Networks, Token};
use maintenance_switch::Place;
pub use raw::Raw;

use crate::discovery::{self, Discovery};

/// How often a switch in a file is read. An operator who has moved it watches the panel.
const SWITCH_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The validated options.
#[derive(Clone, Debug)]
pub struct Options {
    /// `HTTP_ADDR`, default `0.0.0.0:9092`.
    pub http: SocketAddr,
    /// `USER_PODS`: how pods are discovered.
    pub pods: Discovery,
    /// `REFRESH_INTERVAL`, default 5 s: how often pages reload in browsers without scripts.
    pub refresh: Duration,
    /// `FORGET_AFTER`, default 10 min: how long a silent pod stays that discovery no longer names, or that has a
    /// fixed address.
    pub forget_after: Duration,
    /// `ADMIN_AUTH`, default `token`.
    pub auth: AdminAuth,
    /// `TRUSTED_PROXIES`, default unset: the networks whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Option<Networks>,
    /// `REDIS_URL`, default unset: the store that the pods share; sessions in it that no pod holds are listed as orphans.
    pub redis: Option<Secret>,
    /// `GRPC_TOKEN`, default unset: the token that the pods require.
    pub grpc_token: Option<Token>,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE`, default unset: the maintenance switch.
    pub switch: Option<Place>,
    /// `LOG_FORMAT`, default `text`.
    pub log_format: LogFormat,
    /// Variables that are set and have no effect with this `ADMIN_AUTH`.
    pub unused: Vec<&'static str>,
}

impl Options {
    /// Validates the options.
    ///
    /// # Errors
    /// All faults, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = faults.take("HTTP_ADDR", options::address(&raw.http_addr), anywhere);
        let pods = match options::given(raw.user_pods.as_deref()) {
            Some(text) => Discovery::parse(text),
            None => Err(discovery::required()),
        };
        let pods = faults.take("USER_PODS", pods, Discovery::default());
        let refresh = faults.take("REFRESH_INTERVAL", options::interval(&raw.refresh_interval), Duration::from_secs(5));
        let forget_after = faults.take("FORGET_AFTER", options::timeout(&raw.forget_after), FORGET_AFTER);
        let (auth, trusted_proxies, unused) = auth::read(raw, environment, &mut faults);
        let redis = redis(environment, &mut faults);
        let grpc_token = secret::read_token("GRPC_TOKEN", environment, &mut faults);
        let (file, config_map) = (raw.maintenance_file.as_deref(), raw.maintenance_configmap.as_deref());
        let switch = cli::maintenance::place(file, config_map, SWITCH_POLL_INTERVAL, &mut faults);
        let log_format =
            faults.take("LOG_FORMAT", options::choice(&raw.log_format, &LogFormat::CHOICES), LogFormat::default());
        if let Err(fault) = logging::filter(environment) {
            faults.push("RUST_LOG", fault);
        }
        faults.into_result(Self {
            http,
            pods,
            refresh,
            forget_after,
            auth,
            trusted_proxies,
            unused,
            redis,
            grpc_token,
            switch,
            log_format,
        })
    }
}

/// Reads the address of the shared store.
fn redis(environment: &dyn Environment, faults: &mut Faults) -> Option<Secret> {
    let url = secret::read("REDIS_URL", environment, faults)?;
    let text = url.expose().trim();
    if text.starts_with("redis-cluster://") {
        faults.push("REDIS_URL", "`redis-cluster://` is not supported by the admin tier yet; leave it out here");
    } else if redis::Client::open(text).is_err() {
        faults.push(
            "REDIS_URL",
            "is no address of a Redis; write redis://host:6379/0 or rediss://user:password@host:6380",
        );
    }
    Some(url)
}

#[cfg(test)]
mod tests;
