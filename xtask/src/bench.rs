//! `cargo xtask bench`: performance, as a ratio to a reference measured in the same run on the same machine.
//!
//! Absolute figures depend on the machine and its load; a ratio of two measurements that take turns does not.

mod dashboard;
mod load;
mod proxy;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use crate::dev::redis::{EMBEDDED, Redis};
use crate::steps::{announce, cargo, root, step};

/// How many turns each of the two gets, and how long a turn takes.
const TURNS: u32 = 5;
const TURN: Duration = Duration::from_secs(2);

/// Clients that request the page repeatedly, each over one connection.
const USERS: usize = 16;

/// Runs all measurements.
///
/// # Errors
/// Something cannot be built or started, or a request fails.
pub(crate) fn run() -> anyhow::Result<()> {
    request_rate()?;
    proxy::run()?;
    dashboard::run()
}

/// The request rate with sessions in Redis against that with sessions in memory.
fn request_rate() -> anyhow::Result<()> {
    step("build", &mut cargo(&["build", "--release", "--bin", "user-tier"]))?;
    let redis = Redis::new(EMBEDDED)?;
    let (memory, shared) = (Pod::start(19_090, None)?, Pod::start(19_190, Some(&redis.url))?);
    let clients = [memory.port, shared.port].map(|port| load::Clients::new(port, USERS));
    let [mut memory_clients, mut shared_clients] = clients;
    announce("request rate, sessions in memory and in Redis by turns");
    let (mut alone, mut together) = (0.0, 0.0);
    for turn in 1..=TURNS {
        let (a, b) = (memory_clients.rate(TURN)?, shared_clients.rate(TURN)?);
        eprintln!("turn {turn}: {a:>8.0}/s in memory, {b:>8.0}/s in Redis, ratio {:.2}", b / a);
        alone += a;
        together += b;
    }
    println!("request rate with Redis: {:.2} of that in memory (at least 0.85 is wanted)", together / alone);
    Ok(())
}

/// A release build of the user tier. Killed when dropped.
struct Pod {
    port: u16,
    process: Child,
}

impl Pod {
    fn start(port: u16, redis: Option<&str>) -> anyhow::Result<Self> {
        let mut command = Command::new(Path::new(&root()).join("target/release/user-tier"));
        command.envs(redis.map(|url| ("REDIS_URL", url)));
        command.env("HTTP_ADDR", format!("127.0.0.1:{port}")).env("GRPC_ADDR", format!("127.0.0.1:{}", port + 1));
        command.env("SESSION_KEY", "the benchmark keeps no secret").env("RUST_LOG", "error");
        let process = command.stdin(Stdio::null()).spawn().context("the user tier cannot be started")?;
        let pod = Self { port, process };
        load::wait_until_ready(port)?;
        Ok(pod)
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
