//! The options of an app that the pod stands in front of.

use std::time::Duration;

use clap::Args;
use cli::options::{self, OptionErrors, format_duration};
use upstream::{Address, InvalidAddress, Timeouts};

/// The name of the session cookie in front of an app: its own may be called `session`.
pub(super) const SESSION_COOKIE: &str = "lastcall_session";

/// The path in front of the library's own routes in front of an app.
pub(super) const ROUTE_PREFIX: &str = "/_lastcall";

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), idle: Duration::from_secs(1) };

/// The options as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "In front of any app")]
pub(super) struct UpstreamArgs {
    /// The app behind Lastcall, `http://host:port` or `unix:/path`: its pages replace those of the sample app [default: none]
    #[arg(long, env)]
    upstream_url: Option<String>,
    /// How long opening a connection to the app may take; after it 502. There is no limit for the answer
    #[arg(long, env, default_value_t = format_duration(TIMEOUTS.connect))]
    upstream_connect_timeout: String,
    /// How long an idle connection to the app is kept: shorter than the app keeps it
    #[arg(long, env, default_value_t = format_duration(TIMEOUTS.idle))]
    upstream_idle_timeout: String,
    /// Whether pages of the app get the script that shows the notice
    #[arg(long, env, default_value = "true")]
    inject_script: String,
    /// Path of the app's own logout, such as /accounts/logout/: after `Logout Now` the page posts there by a form [default: none]
    #[arg(long, env)]
    logout_redirect: Option<String>,
}

/// The app that the pod stands in front of.
#[derive(Clone, Debug)]
pub struct UpstreamOptions {
    /// `UPSTREAM_URL`.
    pub address: Address,
    /// `UPSTREAM_CONNECT_TIMEOUT` and `UPSTREAM_IDLE_TIMEOUT`.
    pub timeouts: Timeouts,
    /// `INJECT_SCRIPT`.
    pub injects_script: bool,
    /// `LOGOUT_REDIRECT`.
    pub logout_redirect: Option<String>,
}

impl UpstreamArgs {
    /// Whether there is an app, however it is written.
    pub(super) fn is_set(&self) -> bool {
        options::non_empty(self.upstream_url.as_deref()).is_some()
    }

    pub(super) fn read(&self, errors: &mut OptionErrors) -> Option<UpstreamOptions> {
        let mut timeouts = TIMEOUTS;
        errors.set(&mut timeouts.connect, "UPSTREAM_CONNECT_TIMEOUT", options::timeout(&self.upstream_connect_timeout));
        errors.set(&mut timeouts.idle, "UPSTREAM_IDLE_TIMEOUT", options::timeout(&self.upstream_idle_timeout));
        let injects_script = errors.value_or("INJECT_SCRIPT", options::switch(&self.inject_script), true);
        let logout_redirect = options::non_empty(self.logout_redirect.as_deref()).map(str::to_owned);
        if logout_redirect.as_deref().is_some_and(|path| !is_path(path)) {
            errors.push("LOGOUT_REDIRECT", "is no path; write one of this site, such as /accounts/logout/");
        }
        let Some(text) = options::non_empty(self.upstream_url.as_deref()) else {
            if logout_redirect.is_some() {
                errors.push("LOGOUT_REDIRECT", "needs UPSTREAM_URL: the sample app has no logout of its own");
            }
            return None;
        };
        match text.parse() {
            Ok(address) => Some(UpstreamOptions { address, timeouts, injects_script, logout_redirect }),
            Err(error) => {
                let error: InvalidAddress = error;
                // The text may contain a password.
                errors.push("UPSTREAM_URL", error);
                None
            }
        }
    }
}

/// Whether it is a path of this site, with a query or without.
fn is_path(text: &str) -> bool {
    let is_of_this_site = text.starts_with('/') && !text.starts_with("//");
    is_of_this_site && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\#`".contains(&byte))
}
