//! One child process: its log, its signals, its exit.
//!
//! Only the owner of the `Child` waits for the process, so that a signal never goes to a process id that the system has reused.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child as Running, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::guard::Guard;
use super::output;
use super::plan::Process;

/// What a user pod logs first when a drain begins: the contract fixes this line.
const DRAIN_BEGINS: &str = "[GRACEFUL SHUTDOWN] Received SIG";

/// What it logs next if it has no user: the contract fixes this line, too.
const NO_USERS: &str = "[GRACEFUL SHUTDOWN] 0 active users detected";

/// A started process of the plan. Killed when dropped before its exit, and when xtask is killed.
#[derive(Debug)]
pub(super) struct Child<'a> {
    process: &'a Process,
    running: Running,
    guard: Option<Guard>,
    output: Vec<JoinHandle<()>>,
    draining: Arc<AtomicBool>,
    empty: Arc<AtomicBool>,
    terminated: bool,
    hurried: bool,
    ended: Option<ExitStatus>,
}

impl<'a> Child<'a> {
    /// Starts the process in a group of its own, so that the terminal's Ctrl-C does not reach it.
    ///
    /// # Errors
    /// The binary cannot be run.
    pub(super) fn start(process: &'a Process, number: usize, binaries: &Path) -> anyhow::Result<Self> {
        let mut command = process.command(binaries);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut running = command.spawn().with_context(|| format!("{} cannot be started", process.name))?;
        let (draining, empty) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let forward = |stream: Box<dyn Read + Send>| {
            let seen = [(DRAIN_BEGINS, Arc::clone(&draining)), (NO_USERS, Arc::clone(&empty))];
            output::forward(stream, output::prefix(&process.name, number), move |line| {
                for (_, flag) in seen.iter().filter(|(part, _)| line.contains(part)) {
                    flag.store(true, Ordering::Relaxed);
                }
            })
        };
        let stdout = running.stdout.take().map(|stream| forward(Box::new(stream)));
        let stderr = running.stderr.take().map(|stream| forward(Box::new(stream)));
        let output = stdout.into_iter().chain(stderr).collect();
        let mut child = Self {
            process,
            running,
            guard: None,
            output,
            draining,
            empty,
            terminated: false,
            hurried: false,
            ended: None,
        };
        child.guard = Some(Guard::over(child.id())?);
        Ok(child)
    }

    pub(super) fn name(&self) -> &str {
        &self.process.name
    }

    pub(super) const fn process(&self) -> &Process {
        self.process
    }

    pub(super) fn id(&self) -> u32 {
        self.running.id()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether it drains already, after a signal from us or from the user.
    pub(super) fn is_draining(&self) -> bool {
        self.terminated || self.draining.load(Ordering::Relaxed)
    }

    /// Returns the exit status once; the whole output of the process has been shown by then.
    pub(super) fn take_end(&mut self) -> Option<ExitStatus> {
        if self.has_ended() {
            return None;
        }
        self.ended = self.running.try_wait().ok().flatten();
        if self.has_ended() {
            // The system may reuse its id from now on.
            self.guard = None;
            self.join_output();
        }
        self.ended
    }

    /// Whether this exit is expected. A process that was signalled before it handled signals dies of them.
    pub(super) fn is_clean(&self, status: ExitStatus) -> bool {
        status.success() || (self.terminated && status.signal() == Some(Signal::SIGTERM as i32))
    }

    /// Asks the process to stop; a second signal hurries a user pod.
    pub(super) fn terminate(&mut self) {
        if !self.has_ended()
            && let Ok(id) = i32::try_from(self.id())
        {
            self.terminated = true;
            // It has not been waited for, so the id is still its own; it may have just exited, which is fine.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }

    /// Lets a pod that drains without users exit without waiting for the propagation.
    pub(super) fn hurry_if_empty(&mut self) {
        if self.terminated && !self.hurried && self.empty.load(Ordering::Relaxed) {
            self.hurried = true;
            self.terminate();
        }
    }

    /// Kills it. Its exit status still has to be read.
    pub(super) fn kill(&mut self) {
        if !self.has_ended() {
            let _ = self.running.kill();
        }
    }

    fn join_output(&mut self) {
        for thread in self.output.drain(..) {
            // The thread's panic was printed; the child is not affected.
            let _ = thread.join();
        }
    }
}

impl Drop for Child<'_> {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.kill();
            let _ = self.running.wait();
            self.join_output();
        }
    }
}
