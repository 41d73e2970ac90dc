//! `cargo xtask dev` as in the README, on free ports.

mod browser;
mod front_door;
mod upstream;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::ops::{Deref, DerefMut};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use test_support::{Person, Process};

/// The variables by which `cargo` sees that everything is built.
const PASSED_ON: [&str; 6] = ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// A running `cargo xtask dev`. Killed with its children when a test ends before it.
struct Dev {
    process: Process,
    /// The port of the front door.
    port: u16,
    /// The process id of each pod and of the admin tier, by its name.
    children: BTreeMap<String, i32>,
}

impl Dev {
    /// Starts it and waits for its summary.
    async fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let port = free_ports();
        let passed_on: Vec<_> = PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect();
        let passed_on = passed_on.iter().map(|(name, value)| (*name, value.as_str()));
        let environment: Vec<_> = passed_on.chain(environment.iter().copied()).collect();
        let port_text = port.to_string();
        // Its output and its children's logs are on stdout.
        let command =
            ["-c", "exec \"$0\" dev \"$@\" 1>&2", env!("CARGO_BIN_EXE_xtask"), "--no-build", "--port", &port_text];
        let process = Process::start("/bin/sh", &[&command[..], arguments].concat(), &environment);
        let mut dev = Self { process, port, children: BTreeMap::new() };
        dev.line("a second Ctrl-C hurries").await;
        for line in dev.log() {
            if let [name @ ("admin" | "user-1" | "user-2"), _, "process", id] =
                line.split_whitespace().collect::<Vec<_>>()[..]
            {
                dev.children.insert(name.to_owned(), id.parse().unwrap());
            }
        }
        dev
    }

    /// A new user at the front door.
    fn person(&self) -> Person {
        Person::new(&format!("127.0.0.1:{}", self.port))
    }

    /// Runs the printed command: `kill -TERM`.
    fn drain(&self, pod: &str) {
        kill(Pid::from_raw(self.children[pod]), Signal::SIGTERM).unwrap();
    }

    /// Sends Ctrl-C, and waits for the exit.
    async fn stop(mut self) {
        self.signal(Signal::SIGINT);
        assert!(self.wait().await.success(), "{}", self.log().join("\n"));
    }
}

impl Deref for Dev {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Dev {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// A port such that the following ones are free, too. Below the system's ephemeral ports.
fn free_ports() -> u16 {
    let ours = (20_000..30_000).step_by(7).skip(std::process::id() as usize % 1_000);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let all_free = |port: &u16| [0, 2, 100, 101, 103, 200, 201, 203].into_iter().all(|offset| is_free(port + offset));
    ours.into_iter().find(all_free).unwrap()
}
