//! `ALLOWED_ORIGINS`: which other sites may post here.

use clap::Args;
use cli::options::{self, OptionErrors};
use lastcall::{Config, OriginError};

/// The options about requests as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests")]
pub(super) struct RequestArgs {
    /// Origins (comma separated) whose pages may post here besides our own, such as `https://www.example.org`: with the port
    /// unless it is the scheme's own, without a trailing slash
    #[arg(long, env)]
    allowed_origins: Option<String>,
}

impl RequestArgs {
    pub(super) fn apply(&self, config: &mut Config, errors: &mut OptionErrors) {
        let Some(text) = options::non_empty(self.allowed_origins.as_deref()) else { return };
        let origins = text.parse().map_err(|error: OriginError| error.to_string());
        errors.set(&mut config.allowed_origins, "ALLOWED_ORIGINS", origins);
    }
}
