//! `cargo xtask soak`: drains one pod after the other under signed-in users behind a real proxy, and counts what the
//! users notice.
//!
//! Three user pods, one redis-server and a proxy are real processes; the users are tasks of this one. With a handoff,
//! the expected number of errors is 0, and so is the number of banners where the proxy follows readiness; another
//! number is a failure.

mod browser;
mod chaos;
mod child;
mod events;
mod fleet;
mod ledger;
mod options;
mod plain_http;
mod pod;
mod ports;
mod proxy;
mod redis;
mod report;
mod tally;
mod user;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::steps::{announce, cargo, root, step};
use chaos::Incident;
use fleet::Fleet;
pub(crate) use options::Arguments;
use options::Switch;
use proxy::local;
use report::Report;
use tally::Tally;
use user::User;

/// How many pods serve.
const PODS: usize = 3;

/// The users' time before the first drain and after the last one.
const REST: Duration = Duration::from_secs(3);

/// The open files that this process needs: two or three connections a user, and as many of the proxy, which inherits
/// the limit.
const OPEN_FILES: u64 = 16_384;

/// Runs the soak.
///
/// # Errors
/// Something cannot be built or started, or a bound is broken.
pub(crate) fn run(options: &Arguments) -> anyhow::Result<()> {
    let binary = binary(options)?;
    let needed = u64::from(options.users) * 8 + 500;
    let limit = rlimit::increase_nofile_limit(OPEN_FILES).context("the limit of open files cannot be read")?;
    if limit < needed {
        bail!(
            "{} users need {needed} open files, but the limit is {limit}; raise it: ulimit -n {needed}",
            options.users
        );
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let logs = tempfile::Builder::new().prefix("lastcall-soak-").tempdir()?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = soak(options, &binary, logs.path()) => done,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    });
    if done.is_err() {
        eprintln!("\nthe logs of all processes are kept in {}", logs.keep().display());
    }
    done
}

async fn soak(options: &Arguments, binary: &Path, logs: &Path) -> anyhow::Result<()> {
    let mut broken = Vec::new();
    let mut run = async |handoff, name| -> anyhow::Result<Report> {
        let options = Arguments { handoff, ..options.clone() };
        let logs = logs.join(name);
        std::fs::create_dir(&logs)?;
        let report = one_run(&options, binary, &logs).await?;
        report.print();
        broken.extend(report.broken());
        Ok(report)
    };
    if options.compare {
        let (off, on) = (run(Switch::Off, "off").await?, run(Switch::On, "on").await?);
        report::compare(&off, &on);
    } else {
        run(options.handoff, "run").await?;
    }
    if !broken.is_empty() {
        bail!("bounds are broken:\n  {}", broken.join("\n  "));
    }
    Ok(())
}

/// Starts everything, drains pods, and reports.
async fn one_run(options: &Arguments, binary: &Path, logs: &Path) -> anyhow::Result<Report> {
    announce(&options.summary());
    let mut fleet = Fleet::start(options, binary, logs).await?;
    let tally = Arc::new(Tally::new());
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    start_users(options, fleet.port, &tally, &stop, &mut tasks).await;
    sleep(REST).await;
    for done in 0..options.drains {
        let place = usize::try_from(done)? % PODS;
        let incident = options.chaos.then(|| Incident::after(done, options.drains)).flatten();
        let drain = fleet.begin_drain(place)?;
        if let Some(incident) = incident {
            sleep(options.handoff_delay).await;
            eprintln!("  {}", incident.name());
            incident.strike(&mut fleet, place, &tally).await?;
        }
        fleet.replace(drain).await?;
        let seen = tally.snapshot();
        eprintln!(
            "  drain {:>3}: {:.1} s; so far {} errors, {} banners",
            done + 1,
            fleet.drains.last().map_or(0.0, Duration::as_secs_f64),
            seen.errors.values().sum::<u64>(),
            seen.banners.values().sum::<u64>(),
        );
    }
    sleep(REST).await;
    stop.cancel();
    while let Some(task) = tasks.join_next().await {
        task.context("a user's task failed")?;
    }
    let mut report = Report::new(options, &tally);
    fleet.finish().await?;
    report.drains = std::mem::take(&mut fleet.drains);
    report.ledgers = std::mem::take(&mut fleet.ledgers);
    Ok(report)
}

/// Signs all users in, and lets them work.
async fn start_users(
    options: &Arguments,
    port: u16,
    tally: &Arc<Tally>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) {
    for number in 0..options.users {
        let user = User::new(number, local(port), options.http2, tally);
        user.sign_in().await;
        let random = fastrand::Rng::with_seed(options.seed.wrapping_mul(100_003).wrapping_add(number.into()));
        user.start(random, stop, tasks);
    }
}

/// Builds the user tier, and returns its path.
fn binary(options: &Arguments) -> anyhow::Result<PathBuf> {
    let mut arguments = vec!["build", "--bin", "user-tier"];
    let folder = if options.release { "release" } else { "debug" };
    if options.release {
        arguments.push("--release");
    }
    if !options.no_build {
        step("build", &mut cargo(&arguments))?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join(folder).join("user-tier"))
}

/// Waits until a condition holds.
///
/// # Errors
/// It does not in time.
async fn until(what: &str, limit: Duration, condition: impl AsyncFn() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + limit;
    while !condition().await {
        if Instant::now() > deadline {
            bail!("within {limit:?} it did not happen that {what}");
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
