//! The options of connections and event streams.

use clap::Args;
use cli::options::{self, OptionErrors, format_duration};
use lastcall::Config;

use super::defaults::DEFAULTS;

/// The options of connections and event streams as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connections")]
pub(super) struct StreamArgs {
    /// How long an idle connection is kept; longer than the proxies in front keep theirs
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.keep_alive_timeout))]
    keep_alive_timeout: String,
    /// Time between two heartbeats on an event stream
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.heartbeat_interval))]
    heartbeat_interval: String,
    /// Open event streams of one session; one more ends the oldest
    #[arg(long, env, default_value_t = DEFAULTS.max_streams_per_session.to_string())]
    max_streams_per_session: String,
    /// Open event streams of all sessions; above it /events answers 503 with Retry-After, and the page asks again [default: as
    /// many as fit into the memory limit of the container, 100000 where there is none]
    #[arg(long, env)]
    max_streams: Option<String>,
}

impl StreamArgs {
    /// Returns `MAX_STREAMS` if it is set.
    pub(super) fn apply(&self, config: &mut Config, errors: &mut OptionErrors) -> Option<u64> {
        errors.set(&mut config.keep_alive_timeout, "KEEP_ALIVE_TIMEOUT", options::timeout(&self.keep_alive_timeout));
        errors.set(&mut config.heartbeat_interval, "HEARTBEAT_INTERVAL", options::interval(&self.heartbeat_interval));
        let per_session = options::number(&self.max_streams_per_session, 1..=10_000);
        let per_session = per_session.and_then(|number| usize::try_from(number).map_err(|error| error.to_string()));
        errors.set(&mut config.max_streams_per_session, "MAX_STREAMS_PER_SESSION", per_session);
        let max_streams = options::non_empty(self.max_streams.as_deref())?;
        errors.value_or("MAX_STREAMS", options::number(max_streams, 1..=10_000_000).map(Some), None)
    }
}
