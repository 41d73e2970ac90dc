//! The options of `user-tier maintenance-page`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use cli::common_options::LogArgs;
use cli::logging::LogFormat;
use cli::options::{self, Environment, OptionErrors};
use lastcall::RoutePrefix;

use super::addresses::{HTTP, PLACEHOLDER};
use super::maintenance::RetryAfterArgs;
use super::requests::PrefixArgs;

/// The options of the maintenance page as they are written.
#[derive(Args, Clone, Debug)]
pub struct RawPage {
    /// Checks the options, reports errors, and exits
    #[arg(long)]
    pub check_config: bool,
    /// Where the page is served, and /health and /ready, which always answer 200
    #[arg(long, env, default_value = HTTP)]
    http_addr: String,
    #[command(flatten)]
    retry_after: RetryAfterArgs,
    #[command(flatten)]
    prefix: PrefixArgs,
    /// Whether /health, /ready and /metrics answer 404, for routes that lead here what must not be seen from outside
    #[arg(long, env, default_value_t = false.to_string())]
    hide_probes: String,
    #[command(flatten)]
    log: LogArgs,
}

/// The options of the maintenance page, checked.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// `HTTP_ADDR`.
    pub http: SocketAddr,
    /// `MAINTENANCE_RETRY_AFTER`; none: the library's default, and the page names no time.
    pub retry_after: Option<Duration>,
    /// `ROUTE_PREFIX` of the pods.
    pub route_prefix: RoutePrefix,
    /// `HIDE_PROBES`: whether probes and metrics are 404.
    pub hide_probes: bool,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
}

impl PageOptions {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &RawPage, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let options = Self {
            http: errors.value_or("HTTP_ADDR", options::address(&raw.http_addr), PLACEHOLDER),
            retry_after: raw.retry_after.read(&mut errors),
            route_prefix: raw.prefix.read(&mut errors),
            hide_probes: errors.value_or("HIDE_PROBES", options::switch(&raw.hide_probes), false),
            log_format: raw.log.read(environment, &mut errors),
        };
        errors.into_result(options)
    }
}
