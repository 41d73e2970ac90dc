//! Which other sites may post here, and where the library's own routes are.

use clap::Args;
use cli::options::{self, OptionErrors};
use lastcall::{Config, OriginError, RoutePrefix};

/// The options about requests as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestArgs {
    /// Origins (comma separated) whose pages may post here besides our own, such as `https://www.example.org`: with the port
    /// unless it is the scheme's own, without a trailing slash
    #[arg(long, env)]
    allowed_origins: Option<String>,
    #[command(flatten)]
    prefix: PrefixArgs,
}

/// `ROUTE_PREFIX`, of pods and of the maintenance page.
#[derive(Args, Clone, Debug)]
pub(super) struct PrefixArgs {
    /// Path in front of /login, /logout, /session, /events and /assets/lastcall.js, without a slash at its end, such as /_lastcall
    #[arg(long, env)]
    route_prefix: Option<String>,
}

impl PrefixArgs {
    pub(super) fn read(&self, errors: &mut OptionErrors) -> RoutePrefix {
        let text = options::non_empty(self.route_prefix.as_deref()).unwrap_or_default();
        let prefix = RoutePrefix::new(text).map_err(|error| format!("{text:?} {error}"));
        errors.value_or("ROUTE_PREFIX", prefix, RoutePrefix::default())
    }
}

impl RequestArgs {
    pub(super) fn apply(&self, config: &mut Config, errors: &mut OptionErrors) {
        config.route_prefix = self.prefix.read(errors);
        let Some(text) = options::non_empty(self.allowed_origins.as_deref()) else { return };
        let origins = text.parse().map_err(|error: OriginError| error.to_string());
        errors.set(&mut config.allowed_origins, "ALLOWED_ORIGINS", origins);
    }
}
