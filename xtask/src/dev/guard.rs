//! Kills a process group when xtask ends in any way: a killed process runs no `Drop`.
//!
//! A shell waits for the end of a pipe that only xtask holds open; the system closes it when xtask ends.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// Reads until the pipe ends, then kills the group.
const SCRIPT: &str = r#"read -r _; kill -KILL "-$0""#;

/// Watches the process group of one child. Dropping it leaves the group alive: drop it once the child has exited.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    /// Watches the group of the process `leader`.
    ///
    /// # Errors
    /// No shell can be started.
    pub(crate) fn over(leader: u32) -> anyhow::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, &leader.to_string()]);
        // In a group of its own, so that signals to our group do not end it before its work is done.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Self { shell: command.spawn().context("/bin/sh cannot be started")? })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before its pipe is closed; it may have exited already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
