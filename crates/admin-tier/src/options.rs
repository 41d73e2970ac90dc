//! The options of the admin tier, parsed into validated values.

mod auth;

use std::net::SocketAddr;
use std::time::Duration;

pub use auth::AdminAuth;
use clap::Parser;
use cli::common_options::{GRPC_TOKEN, LogArgs, ProxyArgs, SwitchArgs};
use cli::logging::LogFormat;
use cli::options::{self, Environment, OptionErrors, format_duration};
use cli::secret::help::{self, SecretOption};
use cli::secret::{self, SecretString};
use fleet::FORGET_AFTER;
use http_support::{Networks, Token};
use maintenance_switch::SwitchLocation;

use crate::discovery::{self, Discovery};

/// How often a switch in a file is read. An operator who has moved it watches the panel.
const SWITCH_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The default of `REFRESH_INTERVAL`.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// The secrets, as `--help` describes them.
const SECRETS: [SecretOption; 3] = [
    SecretOption {
        variable: "ADMIN_TOKEN",
        meaning: "bearer token for scripts, and the password for the sign-in page",
        default: "unset: no bearer token; a link that signs in once is logged at the start, and again when a user asks for it on \
                  the sign-in page",
    },
    GRPC_TOKEN,
    SecretOption {
        variable: "REDIS_URL",
        meaning: "the Redis that the pods share sessions through, to list sessions that no pod holds any more: redis:// or \
                  rediss://",
        default: "unset: such sessions are not listed",
    },
];

/// Lastcall's admin tier: shows operators which users each pod holds and how far each pod has drained
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "admin-tier", version = cli::version::VERSION, after_help = help::text(&SECRETS))]
pub struct Raw {
    /// Checks the options, reports errors, and exits
    #[arg(long)]
    pub check_config: bool,
    /// Pages, API, metrics and probes
    #[arg(long, env, default_value = "0.0.0.0:9092")]
    pub http_addr: String,
    /// The pods to watch: host:port,host:port or dns://name:port or kubernetes://namespace/service:port [default: none,
    /// required]
    #[arg(long, env)]
    pub user_pods: Option<String>,
    /// How often pages renew where scripts are off; where they are on, pages are updated at once
    #[arg(long, env, default_value_t = format_duration(REFRESH_INTERVAL))]
    pub refresh_interval: String,
    /// How long a silent pod stays listed that discovery no longer names, or that has a fixed address; it then moves into the
    /// history
    #[arg(long, env, default_value_t = format_duration(FORGET_AFTER))]
    pub forget_after: String,
    /// How operators sign in: `token` (see ADMIN_TOKEN below), `proxy` (the operator that TRUSTED_USER_HEADER names), or `off`
    /// (no sign-in)
    #[arg(long, env, default_value = "token")]
    pub admin_auth: String,
    #[command(flatten)]
    proxies: ProxyArgs,
    #[command(flatten)]
    switch: SwitchArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// The validated options.
#[derive(Clone, Debug)]
pub struct Options {
    /// `HTTP_ADDR`.
    pub http: SocketAddr,
    /// `USER_PODS`: where the pods are.
    pub pods: Discovery,
    /// `REFRESH_INTERVAL`: how often the pages renew.
    pub refresh: Duration,
    /// `FORGET_AFTER`: how long a silent pod stays that discovery no longer names, or that has a fixed address.
    pub forget_after: Duration,
    /// `ADMIN_AUTH`.
    pub auth: AdminAuth,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Option<Networks>,
    /// `REDIS_URL`: where the pods share sessions; those that no pod holds are listed apart then.
    pub redis: Option<SecretString>,
    /// `GRPC_TOKEN`: what is presented to the pods.
    pub grpc_token: Option<Token>,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE`: where the maintenance switch lies that operators
    /// move.
    pub switch: Option<SwitchLocation>,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// Variables that are set and mean nothing beside this `ADMIN_AUTH`.
    pub unused: Vec<&'static str>,
}

impl Options {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = errors.value_or("HTTP_ADDR", options::address(&raw.http_addr), anywhere);
        let pods = match options::non_empty(raw.user_pods.as_deref()) {
            Some(text) => Discovery::parse(text),
            None => Err(discovery::required()),
        };
        let pods = errors.value_or("USER_PODS", pods, Discovery::default());
        let refresh = errors.value_or("REFRESH_INTERVAL", options::interval(&raw.refresh_interval), REFRESH_INTERVAL);
        let forget_after = errors.value_or("FORGET_AFTER", options::timeout(&raw.forget_after), FORGET_AFTER);
        let (auth, trusted_proxies, unused) = auth::read(raw, environment, &mut errors);
        let redis = redis(environment, &mut errors);
        let grpc_token = secret::read_token("GRPC_TOKEN", environment, &mut errors);
        let switch = raw.switch.read(SWITCH_POLL_INTERVAL, &mut errors);
        let log_format = raw.log.read(environment, &mut errors);
        errors.into_result(Self {
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

/// Where sessions are shared.
fn redis(environment: &dyn Environment, errors: &mut OptionErrors) -> Option<SecretString> {
    let url = secret::read("REDIS_URL", environment, errors)?;
    let text = url.expose().trim();
    if text.starts_with("redis-cluster://") {
        errors.push("REDIS_URL", "`redis-cluster://` is not looked through in this version yet; leave it out here");
    } else if redis::Client::open(text).is_err() {
        errors.push("REDIS_URL", "is not a Redis URL; write redis://host:6379/0 or rediss://user:password@host:6380");
    }
    Some(url)
}

#[cfg(test)]
mod tests;
