//! The renderer processes of the tabs. Stopping and continuing them emulates a sleeping machine.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Browser;

impl Browser {
    /// The ids of the renderer processes: one for each site or tab, and possibly a spare one.
    pub fn renderers(&self) -> Vec<u32> {
        let list = Command::new("ps").args(["-A", "-o", "pid=", "-o", "pgid=", "-o", "args="]).output();
        let list = list.unwrap_or_else(|error| panic!("ps cannot be started ({error}); cargo xtask test installs it"));
        let group = self.process.id().to_string();
        let renderer = |line: &str| {
            let mut words = line.split_whitespace();
            let (id, of, mut rest) = (words.next()?, words.next()?, words);
            (of == group && rest.any(|word| word == "--type=renderer")).then(|| id.parse().unwrap())
        };
        String::from_utf8_lossy(&list.stdout).lines().filter_map(renderer).collect()
    }

    /// Sends a signal to all renderer processes. After SIGSTOP, requests to a page wait until SIGCONT.
    pub fn signal_renderers(&self, signal: Signal) {
        for id in self.renderers() {
            // A process that has ended meanwhile needs no signal.
            let _ = kill(Pid::from_raw(id.try_into().unwrap()), signal);
        }
    }
}
