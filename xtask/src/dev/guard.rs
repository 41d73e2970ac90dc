//! Ends a process group when we are gone, however that came about: a killed `xtask` runs no `Drop`.
//!
//! A shell waits for the end of a pipe that only we hold open; the system closes it when we end.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// Reads until the pipe ends, then kills the group.
const SCRIPT: &str = r#"read -r _; kill -KILL "-$0""#;

/// Watches over the process group of one child. Dropped, it lets the group live: drop it once the child has ended.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Watches over the group that the process `leader` leads.
    ///
    /// # Errors
    /// There is no shell.
    pub(super) fn over(leader: u32) -> anyhow::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, &leader.to_string()]);
        // In a group of its own: what ends ours is not to end it before its work is done.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Self { shell: command.spawn().context("/bin/sh cannot be started")? })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before its pipe is closed; it may be gone already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
