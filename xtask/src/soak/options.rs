//! The options of `cargo xtask soak`.

use std::time::Duration;

use clap::ValueEnum;

/// The options of `cargo xtask soak`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many pods are drained and replaced, one after the other
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(super) drains: u32,
    /// How many users are signed in, each with a request every two seconds: eight of ten with an event stream, one
    /// that polls, and one that sleeps at times
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub(super) users: u32,
    /// `HANDOFF` of the pods
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(super) handoff: Switch,
    /// Whether the proxy routes by a cookie, and whether it does so to pods that are not ready
    #[arg(long, value_enum, default_value_t = Sticky::Off)]
    pub(super) sticky: Sticky,
    /// The proxy in front of the pods
    #[arg(long, value_enum, default_value_t = ProxyKind::Haproxy)]
    pub(super) proxy: ProxyKind,
    /// The users speak HTTP/2 to the proxy
    #[arg(long)]
    pub(super) http2: bool,
    /// HAProxy speaks HTTP/2 to the pods
    #[arg(long)]
    pub(super) h2c: bool,
    /// Kills Redis twice and a pod once, and reloads the proxy, in the midst of the drains
    #[arg(long)]
    pub(super) chaos: bool,
    /// Runs everything with `HANDOFF=off` and with `HANDOFF=on`, and compares
    #[arg(long)]
    pub(super) compare: bool,
    /// Makes the choices of the users repeatable
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// `DRAIN_TIMEOUT` of the pods
    #[arg(long, value_name = "D", default_value = "12s", value_parser = humantime::parse_duration)]
    pub(super) drain_timeout: Duration,
    /// `HANDOFF_DELAY` of the pods
    #[arg(long, value_name = "D", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(super) handoff_delay: Duration,
    /// `HANDOFF_RATE` of the pods
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) handoff_rate: u32,
    /// `HANDOFF_QUIET` of the pods
    #[arg(long, value_name = "D", default_value = "3s", value_parser = humantime::parse_duration)]
    pub(super) handoff_quiet: Duration,
    /// `PROPAGATION_WAIT` of the pods
    #[arg(long, value_name = "D", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(super) propagation_wait: Duration,
    /// Builds and runs the pods with optimizations
    #[arg(long)]
    pub(super) release: bool,
    /// Starts what has been built already
    #[arg(long)]
    pub(super) no_build: bool,
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Switch {
    /// `on`
    On,
    /// `off`
    Off,
}

/// How the proxy chooses a pod for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sticky {
    /// In turns.
    Off,
    /// By a cookie, as long as the pod is ready.
    On,
    /// By a cookie, as long as the pod accepts connections.
    IgnoringReadiness,
}

/// A proxy that can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProxyKind {
    /// HAProxy, which checks `/ready`.
    Haproxy,
    /// nginx, whose upstreams a controller writes as an ingress controller does.
    Nginx,
}

impl Arguments {
    /// The words of the command line that describe a run.
    pub(super) fn summary(&self) -> String {
        let name = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
            value().map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let time = humantime::format_duration;
        let mut text = format!(
            "{} drains, {} users, handoff {}, sticky {}, {}",
            self.drains,
            self.users,
            name(&|| self.handoff.to_possible_value()),
            name(&|| self.sticky.to_possible_value()),
            name(&|| self.proxy.to_possible_value()),
        );
        for (is_set, word) in [(self.http2, ", HTTP/2"), (self.h2c, ", h2c to the pods"), (self.chaos, ", chaos")] {
            text.push_str(if is_set { word } else { "" });
        }
        text.push_str(&format!(
            "; DRAIN_TIMEOUT={} HANDOFF_DELAY={} HANDOFF_RATE={} HANDOFF_QUIET={} PROPAGATION_WAIT={}; seed {}",
            time(self.drain_timeout),
            time(self.handoff_delay),
            self.handoff_rate,
            time(self.handoff_quiet),
            time(self.propagation_wait),
            self.seed,
        ));
        text
    }
}
