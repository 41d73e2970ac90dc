//! One child process: its log, its signals, its end.
//!
//! The process is waited for by whoever holds the `Child`, and only there, so that a signal never goes to a process id
//! that has been given to somebody else meanwhile.

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

/// What a user pod logs first when it is told to drain: the contract fixes this line.
const DRAIN_BEGINS: &str = "[GRACEFUL SHUTDOWN] Received SIG";

/// What it logs next where it has no user: the contract fixes this line, too.
const NOBODY_THERE: &str = "[GRACEFUL SHUTDOWN] 0 active users detected";

/// A process of the plan that was started. Killed when dropped before its end, and when we are killed.
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
    /// Starts it in a process group of its own, so that the terminal's Ctrl-C does not reach it.
    ///
    /// # Errors
    /// The binary cannot be run.
    pub(super) fn start(process: &'a Process, number: usize, binaries: &Path) -> anyhow::Result<Self> {
        let mut command = process.command(binaries);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut running = command.spawn().with_context(|| format!("{} cannot be started", process.name))?;
        let (draining, empty) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let forward = |stream: Box<dyn Read + Send>| {
            let seen = [(DRAIN_BEGINS, Arc::clone(&draining)), (NOBODY_THERE, Arc::clone(&empty))];
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

    /// Whether it drains already, told by us or by hand.
    pub(super) fn is_draining(&self) -> bool {
        self.terminated || self.draining.load(Ordering::Relaxed)
    }

    /// The exit status, the first time that it is known; all that the process wrote has been shown by then.
    pub(super) fn take_end(&mut self) -> Option<ExitStatus> {
        if self.has_ended() {
            return None;
        }
        self.ended = self.running.try_wait().ok().flatten();
        if self.has_ended() {
            // Its id may be given to somebody else from now on.
            self.guard = None;
            self.join_output();
        }
        self.ended
    }

    /// Whether this is an end as it should be. A process that we told to stop before it listened to signals dies of them.
    pub(super) fn is_clean(&self, status: ExitStatus) -> bool {
        status.success() || (self.terminated && status.signal() == Some(Signal::SIGTERM as i32))
    }

    /// Asks it to stop; asked a second time, a user pod hurries.
    pub(super) fn terminate(&mut self) {
        if !self.has_ended()
            && let Ok(id) = i32::try_from(self.id())
        {
            self.terminated = true;
            // Not waited for yet, so the id is still its own; it may have ended this moment, which is well.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }

    /// Lets a pod that we told to drain, and that has no user, exit without waiting for the propagation.
    pub(super) fn hurry_if_empty(&mut self) {
        if self.terminated && !self.hurried && self.empty.load(Ordering::Relaxed) {
            self.hurried = true;
            self.terminate();
        }
    }

    /// Ends it at once. Its end is still to be taken.
    pub(super) fn kill(&mut self) {
        if !self.has_ended() {
            let _ = self.running.kill();
        }
    }

    fn join_output(&mut self) {
        for thread in self.output.drain(..) {
            // It would have panicked on the screen; its child is none the worse for it.
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
