//! The dashboard with a hundred thousand sessions, compared with a thousand.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::load::{Client, wait_until_ready};
use crate::steps::{announce, cargo, root, step};

/// Pods of the large fleet, and users on each; the small fleet has one pod.
const PODS: usize = 100;
const USERS: usize = 1_000;

/// How often each page is requested in a turn, and how many turns each fleet gets.
const REQUESTS: u32 = 20;
const TURNS: u32 = 5;

/// How long the admin tier may take to list all sessions.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);

const PAGES: [(&str, &str); 4] = [
    ("first page", "/admin/users"),
    ("sorted by activity", "/admin/users?sort=-last_activity"),
    ("a search", "/admin/users?q=ada+1"),
    ("panel", "/admin"),
];

/// Measures pages of the large fleet against those of the small one.
///
/// # Errors
/// Something cannot be built or started, or a request fails.
pub(super) fn run() -> anyhow::Result<()> {
    step(
        "build",
        &mut cargo(&["build", "--release", "-p", "admin-tier", "--bin", "admin-tier", "--example", "fleet"]),
    )?;
    let pods = FakePods::start()?;
    let (all, last) = pods.addresses.rsplit_once(',').context("there is only one pod")?;
    let large = Admin::start(19_292, all)?;
    let small = Admin::start(19_392, last)?;
    large.lists((PODS * USERS) as u64)?;
    small.lists(USERS as u64)?;
    announce("pages of the dashboard before 100,000 sessions and before 1,000 by turns");
    for (name, path) in PAGES {
        let (mut much, mut little) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..TURNS {
            much += large.time(path)?;
            little += small.time(path)?;
        }
        let each = |total: Duration| total.as_secs_f64() * 1_000.0 / f64::from(TURNS * REQUESTS);
        let (much, little) = (each(much), each(little));
        println!("{name}: {much:.1} ms, {:.1} times that of a hundredth of the sessions", much / little);
    }
    Ok(())
}

/// A process that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct FakePods {
    addresses: String,
    _process: Running,
}

impl FakePods {
    fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(Path::new(&root()).join("target/release/examples/fleet"));
        command.args([PODS + 1, USERS, 0].map(|number| number.to_string()));
        let mut process = command.stdout(Stdio::piped()).spawn().context("the pods cannot be started")?;
        let stdout = process.stdout.take().context("the pods have no stdout")?;
        let process = Running(process);
        let mut addresses = String::new();
        BufReader::new(stdout).read_line(&mut addresses)?;
        ensure!(!addresses.trim().is_empty(), "the pods do not start; their output is above");
        Ok(Self { addresses: addresses.trim().to_owned(), _process: process })
    }
}

/// A release build of the admin tier.
struct Admin {
    port: u16,
    _process: Running,
}

impl Admin {
    fn start(port: u16, pods: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(Path::new(&root()).join("target/release/admin-tier"));
        command.env("HTTP_ADDR", format!("127.0.0.1:{port}")).env("USER_PODS", pods);
        command.env("ADMIN_AUTH", "off").env("RUST_LOG", "error");
        let process = command.stdin(Stdio::null()).spawn().context("the admin tier cannot be started")?;
        let admin = Self { port, _process: Running(process) };
        wait_until_ready(port)?;
        Ok(admin)
    }

    fn lists(&self, sessions: u64) -> anyhow::Result<()> {
        let deadline = Instant::now() + LIST_TIMEOUT;
        let mut client = Client::connect(self.port)?;
        let total = format!("\"total_sessions\":{sessions},\"complete\":true");
        while !client.get("/admin/api/v1/pods")?.contains(&total) {
            ensure!(Instant::now() < deadline, "the admin tier does not list all sessions");
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn time(&self, path: &str) -> anyhow::Result<Duration> {
        let mut client = Client::connect(self.port)?;
        client.get(path)?;
        let began = Instant::now();
        for _ in 0..REQUESTS {
            client.get(path)?;
        }
        Ok(began.elapsed())
    }
}
