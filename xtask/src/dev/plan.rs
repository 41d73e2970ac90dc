//! Which processes run, on which ports, and what to say about them.

use std::process::Command;
use std::time::Duration;

use super::fleet::Fleet;
use crate::steps::root;

/// Where the admin tier listens.
const ADMIN: &str = "127.0.0.1:9092";

/// One process to be.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    /// Where it serves HTTP.
    pub(super) http: String,
    /// What answers 200 once it is ready.
    pub(super) probe: &'static str,
    binary: &'static str,
    environment: Vec<(&'static str, String)>,
}

impl Process {
    /// The command that starts it.
    pub(super) fn command(&self) -> Command {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
        let mut command = Command::new(root().join(target).join("debug").join(self.binary));
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }
}

/// All processes: the pods, then the admin tier.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) pods: Vec<Process>,
    pub(super) admin: Process,
}

impl Plan {
    pub(super) fn new(pods: u16, drain_timeout: Duration) -> Self {
        let pods: Vec<_> = (0..pods).map(|index| pod(index, drain_timeout)).collect();
        let asked: Vec<_> = (0..pods.len()).map(|index| format!("127.0.0.1:{}", 9091 + 100 * index)).collect();
        let environment =
            vec![("HTTP_ADDR", ADMIN.to_owned()), ("ADMIN_AUTH", "off".to_owned()), ("USER_PODS", asked.join(","))];
        let admin = Process {
            name: "admin".to_owned(),
            http: ADMIN.to_owned(),
            probe: "/health",
            binary: "admin-tier",
            environment,
        };
        Self { pods, admin }
    }

    /// Says what to open, and what to drain.
    pub(super) fn print(&self, fleet: &Fleet) {
        let address = |process: &Process| format!("http://{}", process.http.replace("127.0.0.1", "localhost"));
        println!("\nEverything is ready.\n");
        println!("  Open, each tab is somebody else:");
        for pod in fleet.pods() {
            println!("    {:<8} {:<28} process {}", pod.name(), address(pod.process()), pod.id());
        }
        println!("  Watch:");
        println!("    {:<8} {}/admin", "admin", address(&self.admin));
        println!("    {:<8} {}/admin/users", "", address(&self.admin));
        println!("  Drain a pod while you have it open, with text in the box:");
        for pod in fleet.pods() {
            println!("    kill -TERM {:<8} # {}", pod.id(), pod.name());
        }
        println!("\nCtrl-C drains them all, once; a second Ctrl-C hurries.\n");
    }
}

fn pod(index: u16, drain_timeout: Duration) -> Process {
    let http = format!("127.0.0.1:{}", 9090 + 100 * u32::from(index));
    let name = format!("user-{}", index + 1);
    let environment = vec![
        ("HTTP_ADDR", http.clone()),
        ("GRPC_ADDR", format!("127.0.0.1:{}", 9091 + 100 * u32::from(index))),
        ("POD_NAME", name.clone()),
        ("SESSION_SCOPE", "tab".to_owned()),
        ("DRAIN_TIMEOUT", humantime::format_duration(drain_timeout).to_string()),
    ];
    Process { name, http, probe: "/ready", binary: "user-tier", environment }
}
