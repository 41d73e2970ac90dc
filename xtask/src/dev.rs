//! `cargo xtask dev`: user pods behind one front door, and the admin tier, on this machine, to try out the
//! sample app and to drain pods manually.
//!
//! One loop owns all children; the front door is part of this process. Each child runs in a process group of its own, so that the terminal's
//! Ctrl-C reaches only this process. It sends one SIGTERM to each pod, and stops the admin tier last, so that the drain can be
//! watched.

mod child;
mod fleet;
mod front_door;
pub(crate) mod guard;
mod output;
mod plan;
mod ready;
pub(crate) mod redis;
mod summary;
mod switch;
mod upstream;

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::steps::{announce, cargo, step};
use fleet::Fleet;
use front_door::Pods;
use plan::Plan;
use redis::Redis;
use switch::Switch;

/// The duration of the first build, measured in fresh clones on 2 idle and on 2 busy cores.
const FIRST_BUILD: &str =
    "building both tiers: 2 to 7 minutes on 2 cores and 1.5 GB in target/ the first time, seconds after that";

/// The largest number of pods for `--pods`.
const MOST_PODS: u16 = 50;

/// The highest port of the front door that leaves room for all others.
const MAX_PORT: i64 = (u16::MAX - 100 * MOST_PODS - 1) as i64;

/// The options of `cargo xtask dev`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many user pods
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_PODS)))]
    pods: u16,
    /// The port of the front door; the others follow it: admin tier +2, pods +100, +200 and so on
    #[arg(long, value_name = "PORT", default_value_t = 9090, value_parser = clap::value_parser!(u16).range(1..=MAX_PORT))]
    port: u16,
    /// How long users get before they are signed out, as in 60s or 2m
    #[arg(long, value_name = "D", default_value = "60s", value_parser = humantime::parse_duration)]
    drain_timeout: Duration,
    /// Shares sessions in this Redis, or with `embedded` in a server started for the purpose
    #[arg(long, value_name = "URL", value_parser = redis::parse)]
    redis: Option<String>,
    /// Sessions move to another pod instead of being counted down (`HANDOFF=on`), in a Redis as with `--redis embedded` unless one is
    /// named
    #[arg(long)]
    handoff: bool,
    /// Runs the pods in front of this app instead of the sample app: http://host:port or unix:/path
    #[arg(long, value_name = "URL", value_parser = upstream::parse)]
    upstream: Option<String>,
    /// Starts what has been built already
    #[arg(long)]
    no_build: bool,
}

/// Builds and starts all processes, waits until they are ready, prints what to open, and supervises them until they exit.
///
/// # Errors
/// Something cannot be built or started, or one of the processes exits otherwise than by a drain.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let switch = Switch::new()?;
    let upstream = arguments.upstream.as_deref();
    let plan = |redis| {
        Plan::new(arguments.port, arguments.pods, arguments.drain_timeout, &switch.path(), redis).in_front_of(upstream)
    };
    // Before the build, too: a port in use is reported without waiting for the build.
    plan(None).check_addresses()?;
    if !arguments.no_build {
        build()?;
    }
    let is_handoff = arguments.handoff || std::env::var_os("HANDOFF").is_some_and(|value| value == "on");
    let redis = arguments.redis.as_deref().or(is_handoff.then_some("embedded"));
    let redis = redis.map(Redis::new).transpose()?;
    let mut plan = plan(redis.as_ref().map(|redis| redis.url.as_str()));
    if is_handoff {
        plan.hand_off();
    }
    plan.check_addresses()?;
    let interrupts = interrupts()?;
    announce("start");
    front_door::open(plan.front_door, Pods::new(plan.backends(), redis.is_some(), upstream.is_some()))?;
    let mut fleet = Fleet::start(&plan, &plan::binaries()?, &interrupts)?;
    if fleet.wait_until_ready()? {
        output::print(&summary::summary(&fleet, plan.front_door, arguments.drain_timeout, is_handoff, upstream));
        redis.iter().for_each(|redis| output::say(&redis.described()));
        upstream.and_then(upstream::absence).iter().for_each(|absence| output::say(absence));
    }
    fleet.watch()
}

/// Builds both tiers, and announces the duration of a first build.
fn build() -> anyhow::Result<()> {
    let binaries = plan::binaries()?;
    if !plan::BINARIES.into_iter().all(|name| binaries.join(name).is_file()) {
        announce(FIRST_BUILD);
    }
    // Without --package: with the same features as in `cargo xtask test`, so that nothing is built twice.
    step("build", &mut cargo(&["build", "--bin", "user-tier", "--bin", "admin-tier"]))
}

/// Ctrl-C, SIGTERM and the hangup of the terminal, as messages.
fn interrupts() -> anyhow::Result<Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let (sender, receiver) = channel();
    // Lives as long as the process: there is nothing to join before its end.
    thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
