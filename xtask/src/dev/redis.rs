//! A redis-server on a free port, without data on disk, while the pods run.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::guard::Guard;

/// The value of `--redis` that starts a server.
pub(crate) const EMBEDDED: &str = "embedded";

/// How long the server may take to answer.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// Checks the value of `--redis`, before the build.
///
/// # Errors
/// The value is neither a URL nor [`EMBEDDED`].
pub(super) fn parse(text: &str) -> Result<String, String> {
    let is_known = text == EMBEDDED || text.contains("://");
    is_known.then(|| text.to_owned()).ok_or_else(|| format!("write a URL like redis://localhost:6379, or {EMBEDDED}"))
}

/// The Redis that the pods share. An embedded server is killed when this is dropped, and when xtask is killed.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) url: String,
    server: Option<Child>,
    guard: Option<Guard>,
}

impl Redis {
    /// Uses an address, or starts an embedded server.
    ///
    /// # Errors
    /// redis-server is not installed, or does not start.
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        if url != EMBEDDED {
            return Ok(Self { url: url.to_owned(), server: None, guard: None });
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?.port();
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // In a group of its own: Ctrl-C must not end it, because the pods still write while they drain.
            .process_group(0)
            .spawn()
            .context("redis-server cannot be started; install it (Debian: apt-get install redis-server, macOS: brew install redis)")?;
        let leader = server.id();
        let mut redis = Self { url: format!("redis://127.0.0.1:{port}"), server: Some(server), guard: None };
        redis.guard = Some(Guard::over(leader)?);
        let deadline = Instant::now() + READY_TIMEOUT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                bail!("redis-server does not answer on port {port}");
            }
            sleep(Duration::from_millis(20));
        }
        Ok(redis)
    }

    /// The line about it in the summary.
    pub(crate) fn described(&self) -> String {
        match &self.server {
            Some(server) => format!("sessions are shared through {} (process {})", self.url, server.id()),
            None => "sessions are shared through the Redis that was named".to_owned(),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // It may have exited already.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
