//! Requests through the user tier in front of an app, beside nginx and HAProxy in front of the same app, by turns.
//!
//! `wrk` makes the load and nginx plays the app: both are faster than what is measured. Where one of them is not installed, nothing is
//! measured; where HAProxy is not, it is left out.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

use super::load::{Client, wait_until_answered, wait_until_ready};
use crate::steps::{announce, cargo, root, step};

/// How many turns each proxy gets, and how many seconds a turn takes.
const TURNS: usize = 5;
const TURN: &str = "4s";

/// Connections that send requests, and those with which memory is measured.
const CONNECTIONS: usize = 64;
const MANY_CONNECTIONS: usize = 1_000;

const APP: u16 = 19_490;
const NGINX: u16 = 19_491;
const HAPROXY: u16 = 19_492;
const USER_TIER: u16 = 19_493;
const PROBES: u16 = 19_495;

/// Measures all proxies that are installed.
///
/// # Errors
/// Something cannot be built or started, or a request fails.
pub(super) fn run() -> anyhow::Result<()> {
    if let Some(missing) = ["wrk", "nginx"].into_iter().find(|program| !is_installed(program)) {
        announce(&format!(
            "proxies: not measured, because {missing} is not installed (Debian: apt-get install {missing})"
        ));
        return Ok(());
    }
    step("build", &mut cargo(&["build", "--release", "--bin", "user-tier"]))?;
    let folder = tempfile::tempdir()?;
    let _app = Proxy::nginx(
        folder.path(),
        APP,
        1,
        "return 200 'an answer of the size that scripts get of an app, about 70 bytes';",
    )?;
    let mut proxies = vec![Proxy::nginx(
        folder.path(),
        NGINX,
        2,
        "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://app;",
    )?];
    if is_installed("haproxy") {
        proxies.push(Proxy::haproxy(folder.path())?);
    }
    proxies.push(Proxy::user_tier()?);
    let cookie = Client::connect(USER_TIER)?.session()?;
    announce("requests through proxies by turns, with the cookie of a session");
    let idle: Vec<_> = proxies.iter().map(Proxy::memory_kib).collect::<Result<_, _>>()?;
    let mut rates = vec![0.0; proxies.len()];
    let mut slowest = vec![0.0; proxies.len()];
    for _ in 0..TURNS {
        for (number, proxy) in proxies.iter().enumerate() {
            let load = proxy.load(CONNECTIONS, &cookie)?.wait()?;
            rates[number] += load.rate / TURNS as f64;
            slowest[number] = f64::max(slowest[number], load.p99_ms);
        }
    }
    println!("proxy      requests/s  of nginx  p99 (worst turn)  memory idle  with {MANY_CONNECTIONS} connections");
    for (number, proxy) in proxies.iter().enumerate() {
        let full = proxy.memory_under_load(&cookie)?;
        println!(
            "{:<10} {:>10.0} {:>9.2} {:>14.1} ms {:>8.1} MiB {:>12.1} MiB",
            proxy.name,
            rates[number],
            rates[number] / rates[0],
            slowest[number],
            idle[number] as f64 / 1_024.0,
            full as f64 / 1_024.0
        );
    }
    println!("at least 0.7 of the rate of nginx is wanted");
    Ok(())
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A running proxy. Ended when dropped.
struct Proxy {
    name: &'static str,
    port: u16,
    process: Child,
}

impl Proxy {
    fn nginx(folder: &Path, port: u16, workers: u32, location: &str) -> anyhow::Result<Self> {
        let config = format!(
            "worker_processes {workers}; daemon off; pid {port}.pid; error_log stderr;
             events {{ worker_connections 8192; }}
             http {{ access_log off; keepalive_requests 100000000;
               upstream app {{ server 127.0.0.1:{APP}; keepalive 256; keepalive_requests 100000000; }}
               server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }} }}"
        );
        let file = folder.join(format!("{port}.conf"));
        fs::write(&file, config)?;
        Self::start(
            "nginx",
            port,
            Command::new("nginx").arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(file),
        )
    }

    fn haproxy(folder: &Path) -> anyhow::Result<Self> {
        let config = format!(
            "global\n nbthread 2\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
             frontend front\n bind 127.0.0.1:{HAPROXY}\n default_backend app\n\
             backend app\n http-reuse always\n server app 127.0.0.1:{APP}\n"
        );
        let file = folder.join("haproxy.cfg");
        fs::write(&file, config)?;
        Self::start("haproxy", HAPROXY, Command::new("haproxy").arg("-f").arg(file))
    }

    fn user_tier() -> anyhow::Result<Self> {
        let mut command = Command::new(Path::new(&root()).join("target/release/user-tier"));
        command.env("UPSTREAM_URL", format!("http://127.0.0.1:{APP}"));
        command.env("HTTP_ADDR", format!("127.0.0.1:{USER_TIER}")).env("GRPC_ADDR", "127.0.0.1:0");
        command.env("PROBE_ADDR", format!("127.0.0.1:{PROBES}"));
        command.env("SESSION_KEY", "the benchmark keeps no secret at all").env("RUST_LOG", "error");
        let proxy = Self::start("user-tier", USER_TIER, &mut command)?;
        wait_until_ready(PROBES)?;
        Ok(proxy)
    }

    fn start(name: &'static str, port: u16, command: &mut Command) -> anyhow::Result<Self> {
        let process = command.stdin(Stdio::null()).spawn().with_context(|| format!("{name} cannot be started"))?;
        let proxy = Self { name, port, process };
        wait_until_answered(port, "/")?;
        Ok(proxy)
    }

    fn load(&self, connections: usize, cookie: &str) -> anyhow::Result<Load> {
        let mut command = Command::new("wrk");
        command.args(["-t1", &format!("-c{connections}"), &format!("-d{TURN}"), "--latency", "-H", cookie]);
        let url = format!("http://127.0.0.1:{}/", self.port);
        Ok(Load(command.arg(url).stdout(Stdio::piped()).spawn().context("wrk cannot be started")?))
    }

    /// Resident memory while many connections send requests: read in the middle of a turn.
    fn memory_under_load(&self, cookie: &str) -> anyhow::Result<u64> {
        let load = self.load(MANY_CONNECTIONS, cookie)?;
        std::thread::sleep(std::time::Duration::from_secs(2));
        let memory = self.memory_kib();
        load.wait()?;
        memory
    }

    /// Resident memory of the process and of its workers.
    fn memory_kib(&self) -> anyhow::Result<u64> {
        let id = self.process.id().to_string();
        let output = Command::new("ps").args(["-o", "rss=", "-p", &id, "--ppid", &id]).output()?;
        let text = String::from_utf8(output.stdout)?;
        text.split_whitespace().map(|kib| kib.parse::<u64>().context("ps prints no number")).sum()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // `kill` of the standard library would leave the workers of nginx behind.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        if self.name == "user-tier" {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// A running `wrk`.
struct Load(Child);

struct Figures {
    rate: f64,
    p99_ms: f64,
}

impl Load {
    fn wait(self) -> anyhow::Result<Figures> {
        let text = String::from_utf8(self.0.wait_with_output()?.stdout)?;
        ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "requests failed:\n{text}");
        Figures::read(&text).with_context(|| format!("wrk prints no figures:\n{text}"))
    }
}

impl Figures {
    fn read(text: &str) -> Option<Self> {
        let after = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
        Some(Self { rate: after("Requests/sec:")?.parse().ok()?, p99_ms: milliseconds(after("99%")?)? })
    }
}

fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s')?, 1_000.0)
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_wrk_are_read_in_each_of_its_units() {
        let report = "    90%    2.10ms\n     99%  850.00us\nRequests/sec:  12345.67\n";
        let figures = Figures::read(report).unwrap();
        assert_eq!((figures.rate, figures.p99_ms), (12_345.67, 0.85));
        assert_eq!((milliseconds("4.5ms"), milliseconds("1.20s"), milliseconds("")), (Some(4.5), Some(1_200.0), None));
    }
}
