//! One child process: its log with its name in front, its signals, its end.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read, stdout};
use std::os::unix::process::CommandExt as _;
use std::process::{Child as Running, ExitStatus, Stdio};

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::plan::Process;

/// A process of the plan that was started. Killed when dropped before its end.
#[derive(Debug)]
pub(super) struct Child<'a> {
    process: &'a Process,
    running: Running,
    ended: Option<ExitStatus>,
}

impl<'a> Child<'a> {
    /// Starts it in a process group of its own, so that the terminal's Ctrl-C does not reach it.
    pub(super) fn start(process: &'a Process, colour: u8) -> anyhow::Result<Self> {
        let mut command = process.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut running = command.spawn().with_context(|| format!("{} cannot be started", process.name))?;
        let prefix = prefix(&process.name, colour);
        forward(running.stdout.take(), prefix.clone());
        forward(running.stderr.take(), prefix);
        Ok(Self { process, running, ended: None })
    }

    pub(super) fn name(&self) -> &str {
        &self.process.name
    }

    pub(super) fn process(&self) -> &Process {
        self.process
    }

    pub(super) fn id(&self) -> u32 {
        self.running.id()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// The exit status, the first time that it is known.
    pub(super) fn take_end(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.running.try_wait().ok().flatten();
            return self.ended;
        }
        None
    }

    /// Asks it to stop.
    pub(super) fn terminate(&self) {
        if !self.has_ended()
            && let Ok(id) = i32::try_from(self.id())
        {
            // It may have ended this moment.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }
}

impl Drop for Child<'_> {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.running.kill();
            let _ = self.running.wait();
        }
    }
}

fn prefix(name: &str, colour: u8) -> String {
    if stdout().is_terminal() { format!("\x1b[{}m{name:<8}\x1b[0m ", 31 + colour % 6) } else { format!("{name:<8} ") }
}

/// Prints what comes, line by line, until the stream ends with its process.
fn forward(stream: Option<impl Read + Send + 'static>, prefix: String) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            println!("{prefix}{line}");
        }
    });
}
