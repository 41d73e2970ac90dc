//! `ALLOWED_ORIGINS`: which other sites may post here. `ROUTE_PREFIX`: where the service's own routes are.

use clap::Args;
use cli::options::{self, OptionErrors};
use lastcall::{Config, OriginError, RoutePrefix};

use super::upstream;

/// The options about requests as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestArgs {
    /// Origins (comma separated) whose pages may post here besides our own, such as `https://www.example.org`: with the port
    /// unless it is the scheme's own, without a trailing slash
    #[arg(long, env)]
    allowed_origins: Option<String>,
    #[command(flatten)]
    route_prefix: RoutePrefixArgs,
}

/// `ROUTE_PREFIX`, which pods and the maintenance page have in common.
#[derive(Args, Clone, Debug)]
pub(super) struct RoutePrefixArgs {
    /// Path in front of /login, /logout, /session, /events and /assets/lastcall.js, without a slash at its end, such as
    /// /_lastcall [default: none; /_lastcall with UPSTREAM_URL]
    #[arg(long, env)]
    route_prefix: Option<String>,
}

impl RoutePrefixArgs {
    pub(super) fn read(&self, errors: &mut OptionErrors) -> RoutePrefix {
        let Some(text) = options::non_empty(self.route_prefix.as_deref()) else { return RoutePrefix::default() };
        let prefix = RoutePrefix::new(text).map_err(|error| format!("{text:?} {error}"));
        errors.value_or("ROUTE_PREFIX", prefix, RoutePrefix::default())
    }
}

impl RequestArgs {
    pub(super) fn apply(&self, config: &mut Config, has_upstream: bool, errors: &mut OptionErrors) {
        config.route_prefix = self.route_prefix.read(errors);
        if has_upstream && config.route_prefix == RoutePrefix::default() {
            let prefix = RoutePrefix::new(upstream::ROUTE_PREFIX).map_err(|error| error.to_string());
            errors.set(&mut config.route_prefix, "ROUTE_PREFIX", prefix);
        }
        let Some(text) = options::non_empty(self.allowed_origins.as_deref()) else { return };
        let origins = text.parse().map_err(|error: OriginError| error.to_string());
        errors.set(&mut config.allowed_origins, "ALLOWED_ORIGINS", origins);
    }
}
