//! A real process: its log, its signals, its exit status.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

pub use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{TEST_TIMEOUT, eventually};

/// The directory of Debian's servers, which is not on the `PATH` of every user.
const SERVER_DIRECTORY: &str = "/usr/sbin";

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Process {
    /// Starts a binary with these variables in its environment. Of our variables it gets `PATH` only.
    pub fn start(binary: impl AsRef<Path>, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary.as_ref());
        command.args(arguments).env_clear().envs(environment.iter().copied());
        command.env("PATH", env::var("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.as_ref().display()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&log);
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                written.lock().push(line);
            }
        });
        Self { child, log, reader }
    }

    /// Starts a binary as [`start`](Self::start) does, with this limit of open files.
    pub fn start_limited(
        binary: impl AsRef<Path>,
        open_files: u64,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let script = format!("ulimit -n {open_files} && exec \"$0\" \"$@\"");
        let binary = binary.as_ref().to_str().unwrap();
        Self::start("/bin/sh", &[&["-c", &script, binary], arguments].concat(), environment)
    }

    /// The resident memory of the process, in bytes (Linux).
    pub fn memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process has ended")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id().try_into().unwrap()), signal).unwrap();
    }

    /// The lines on stderr so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    /// The messages of the drain so far, without time and level.
    pub fn drain_log(&self) -> Vec<String> {
        let marks = ["[GRACEFUL SHUTDOWN]", "[MAINTENANCE]"];
        let message = |line: &String| marks.iter().find_map(|mark| line.find(mark)).map(|at| line[at..].to_owned());
        self.log().iter().filter_map(message).collect()
    }

    /// Waits for a line that contains `part`, and returns it.
    pub async fn line(&self, part: &str) -> String {
        let find = || async { self.log().into_iter().find(|line| line.contains(part)) };
        let waited = timeout(TEST_TIMEOUT, eventually(part, find)).await;
        waited.unwrap_or_else(|_| panic!("no line with {part:?} in:\n{}", self.log().join("\n")))
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end of the process and returns the exit status. The log is complete then.
    pub async fn wait(&mut self) -> ExitStatus {
        let status = timeout(TEST_TIMEOUT * 4, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("does not end:\n{}", self.log().join("\n"))).unwrap();
        let _ = timeout(TEST_TIMEOUT, &mut self.reader).await;
        status
    }
}

/// The path of an installed server.
pub(crate) fn server_binary(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from(SERVER_DIRECTORY)]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; cargo xtask test installs it"))
}
