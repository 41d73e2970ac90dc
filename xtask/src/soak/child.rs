//! A server as a child process, with its log in a file. Killed when dropped, and when xtask is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use crate::dev::guard::Guard;

/// The folder of Debian's servers, which is not on the `PATH` of every user.
const SERVER_FOLDER: &str = "/usr/sbin";

/// A running process.
#[derive(Debug)]
pub(super) struct Child {
    name: String,
    id: Pid,
    child: tokio::process::Child,
    log: PathBuf,
    guard: Option<Guard>,
}

impl Child {
    /// Starts `program` with a log of this name in `logs`. It inherits `PATH` only.
    ///
    /// # Errors
    /// It is not installed, or the log cannot be written.
    pub(super) fn start(
        logs: &Path,
        name: &str,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).with_context(|| log.display().to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).kill_on_drop(true);
        // In a group of its own: Ctrl-C reaches only this process, which ends its children in order.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let number = child.id().context("the process has ended at once")?;
        let guard = Some(Guard::over(number)?);
        Ok(Self { name: name.to_owned(), id: Pid::from_raw(number.try_into()?), child, log, guard })
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The process has ended.
    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill(self.id, signal).with_context(|| format!("{} has ended; see {}", self.name, self.log.display()))
    }

    /// Whether it still runs.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the exit.
    ///
    /// # Errors
    /// It does not exit in time.
    pub(super) async fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let Ok(status) = tokio::time::timeout(limit, self.child.wait()).await else {
            bail!("{} does not exit within {limit:?}; see {}", self.name, self.log.display());
        };
        self.guard = None;
        Ok(status?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The workers of a proxy are in the same group. It may have exited already.
        if self.is_running() {
            let _ = kill(Pid::from_raw(-self.id.as_raw()), Signal::SIGKILL);
        }
    }
}

/// The path of an installed server.
///
/// # Errors
/// It is not installed.
pub(super) fn server(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from(SERVER_FOLDER)]);
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("{name} is not installed (Debian: apt-get install {name})"))
}
