//! The library from outside: the examples as processes of their own, and apps in this process.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

mod adopted;
mod background_jobs;
mod browser;
mod closers;
mod cross_site;
mod metrics;
mod notices;
mod own_server;
#[cfg(feature = "redis")]
mod redis_store;
mod transfers;
mod tunnels;
mod websockets;

use test_support::Process;

/// Starts an example, and gives the address that it listens on. Examples are built into the neighbouring folder of that of the tests.
async fn example(name: &str, arguments: &[&str]) -> (Process, String) {
    let here = std::env::current_exe().unwrap();
    let binary = here.parent().unwrap().parent().unwrap().join("examples").join(name);
    let process = Process::start(binary, arguments, &[]);
    let line = process.line("://").await;
    if let Some(caught) = caught_signals(process.id()) {
        assert!(caught & (1 << 14) != 0, "{name} says that it serves, and a SIGTERM would end it without a drain");
    }
    let address = line.split("://").nth(1).unwrap().split(',').next().unwrap().to_owned();
    (process, address)
}

/// The signals that a process catches, one bit each, as Linux tells them; `None` elsewhere.
fn caught_signals(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
    u64::from_str_radix(caught.trim(), 16).ok()
}
