//! A server as a process of its own: started, measured from outside, and told to drain.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a server may take until it listens.
const START_TIME: Duration = Duration::from_secs(10);

/// A running server. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server, and waits until it listens on `port` of the loopback address.
    pub(crate) fn start(mut command: Command, port: u16) -> anyhow::Result<Self> {
        let program = command.get_program().to_owned();
        let process = command.stdin(Stdio::null()).spawn().with_context(|| format!("{program:?} cannot be started"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = Self { process, address };
        let deadline = Instant::now() + START_TIME;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                bail!("{program:?} does not listen on {address}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Its resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in the status")?;
        line.trim().trim_end_matches(" kB").parse().context("VmRSS is no number")
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) -> anyhow::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.process.id())?);
        kill(pid, Signal::SIGTERM).context("the server cannot be signalled")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
