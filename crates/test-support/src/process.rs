//! A real process: its log, its signals, its exit status.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

pub use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{PATIENCE, eventually};

/// Where Debian puts servers, which is not on everybody's `PATH`.
const SERVERS: &str = "/usr/sbin";

/// A running process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Process {
    /// Starts a binary with these variables in its environment and none of ours but `PATH`.
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
                written.lock().unwrap().push(line);
            }
        });
        Self { child, log, reader }
    }

    /// The same, with at most so many files open.
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

    /// Bytes of memory that the process holds now (Linux).
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

    /// Everything on stderr so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The messages of the drain so far, without time and level.
    pub fn drain_log(&self) -> Vec<String> {
        let marks = ["[GRACEFUL SHUTDOWN]", "[MAINTENANCE]"];
        let message = |line: &String| marks.iter().find_map(|mark| line.find(mark)).map(|at| line[at..].to_owned());
        self.log().iter().filter_map(message).collect()
    }

    /// Waits for a line that contains `part`, and gives it.
    pub async fn line(&self, part: &str) -> String {
        let find = || async { self.log().into_iter().find(|line| line.contains(part)) };
        let waited = timeout(PATIENCE, eventually(part, find)).await;
        waited.unwrap_or_else(|_| panic!("no line with {part:?} in:\n{}", self.log().join("\n")))
    }

    /// Waits for the end and gives the exit status; the log is complete then.
    pub async fn wait(&mut self) -> ExitStatus {
        let status = timeout(PATIENCE * 4, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("does not end:\n{}", self.log().join("\n"))).unwrap();
        let _ = timeout(PATIENCE, &mut self.reader).await;
        status
    }
}

/// The file of a server that is installed on this machine.
pub(crate) fn server_binary(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from(SERVERS)]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; cargo xtask test installs it"))
}
