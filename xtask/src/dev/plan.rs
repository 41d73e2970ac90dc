//! Which processes are to run: their names, ports and environments. Starts none of them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::front_door::Backend;

/// Options of Lastcall that would make pods on one machine conflict, need a store or TLS, or change what Ctrl-C does. All
/// other options reach the processes unchanged
/// (`AUTO_LOGOUT=false cargo xtask dev`).
const NOT_INHERITED: [&str; 28] = [
    "ADMIN_AUTH",
    "ADMIN_TOKEN",
    "ADMIN_TOKEN_FILE",
    "COOKIE_SECURE",
    "DRAIN_TIMEOUT",
    "GRPC_ADDR",
    "GRPC_AUTH",
    "GRPC_TOKEN",
    "GRPC_TOKEN_FILE",
    "HTTP_ADDR",
    "MAINTENANCE_CONFIGMAP",
    "MAINTENANCE_FILE",
    "MAINTENANCE_MODE",
    "MAINTENANCE_POLL",
    "METRICS_ADDR",
    "POD_NAME",
    "PROBE_ADDR",
    "REDIS_URL",
    "REDIS_URL_FILE",
    "SECOND_SIGNAL",
    "SESSION_KEY",
    "SESSION_KEY_FILE",
    "SESSION_SCOPE",
    "TERMINATION_GRACE_PERIOD",
    "TRUSTED_PROXIES",
    "TRUSTED_USER_HEADER",
    "UPSTREAM_URL",
    "USER_PODS",
];

/// The binaries of both tiers.
pub(super) const BINARIES: [&str; 2] = ["user-tier", "admin-tier"];

/// A planned process.
#[derive(Debug)]
pub(super) struct Process {
    /// `user-1`, `admin`.
    pub(super) name: String,
    /// Its HTTP address.
    pub(super) http: SocketAddr,
    /// Its gRPC address, if it is a user pod.
    pub(super) grpc: Option<SocketAddr>,
    /// The address of its probes, where they are not on the HTTP address.
    pub(super) probes: Option<SocketAddr>,
    /// The path that answers 200 once it is ready.
    pub(super) probe: &'static str,
    binary: &'static str,
    environment: Vec<(&'static str, String)>,
}

/// Options with other defaults here, for shorter waits at a terminal. Values that the user sets take precedence.
const DEFAULTS: [(&str, &str); 2] = [
    // The front door queries readiness for each request, so only the last pages of users have to be waited for.
    ("PROPAGATION_WAIT", "2s"),
    // A closed tab does not delay Ctrl-C.
    ("PRESENCE_LINGER", "2s"),
];

/// The times of a handoff at a terminal.
const HANDOFF_TIMES: [(&str, &str); 2] = [("HANDOFF_DELAY", "1s"), ("HANDOFF_QUIET", "5s")];

impl Process {
    /// The command that starts it, with the binary from cargo's target folder.
    pub(super) fn command(&self, binaries: &Path) -> Command {
        let mut command = Command::new(binaries.join(self.binary));
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        command
            .envs(DEFAULTS.into_iter().filter(|(name, _)| std::env::var_os(name).is_none_or(|value| value.is_empty())));
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// Its HTTP address for a browser.
    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.http.port())
    }

    /// The address that answers probes.
    pub(super) fn probe_address(&self) -> SocketAddr {
        self.probes.unwrap_or(self.http)
    }

    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [Some(self.http), self.grpc, self.probes].into_iter().flatten()
    }
}

/// All processes: the user pods, then the admin tier; and the address of the front door, which we serve ourselves.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) front_door: SocketAddr,
    pub(super) pods: Vec<Process>,
    pub(super) admin: Process,
}

impl Plan {
    /// Plans `pods` pods, each 100 ports above the previous one; the first is 100 above the front door.
    pub(super) fn new(port: u16, pods: u16, drain_timeout: Duration, switch: &Path, redis: Option<&str>) -> Self {
        let mut pods: Vec<_> = (1..=pods).map(|number| pod(number, port + 100 * number, drain_timeout)).collect();
        let mut admin = admin(local(port + 2), &pods);
        let switch = switch.to_string_lossy();
        for process in pods.iter_mut().chain([&mut admin]) {
            process.environment.push(("MAINTENANCE_FILE", switch.clone().into_owned()));
            process.environment.extend(redis.map(|url| ("REDIS_URL", url.to_owned())));
        }
        Self { front_door: local(port), pods, admin }
    }

    /// Has the pods hand their sessions off, at a pace for a terminal. Values that the user sets take precedence.
    pub(super) fn hand_off(&mut self) {
        for pod in &mut self.pods {
            pod.environment.push(("HANDOFF", "on".to_owned()));
            for (name, value) in HANDOFF_TIMES {
                if std::env::var_os(name).is_none_or(|value| value.is_empty()) {
                    pod.environment.push((name, value.to_owned()));
                }
            }
        }
    }

    /// Puts the pods in front of an app. A session belongs to a browser then, as it does in production, and probes have a port of
    /// their own, 3 above the pod's.
    pub(super) fn in_front_of(mut self, upstream: Option<&str>) -> Self {
        let Some(url) = upstream else { return self };
        for pod in &mut self.pods {
            let probes = local(pod.http.port() + 3);
            pod.environment.retain(|(name, _)| *name != "SESSION_SCOPE");
            pod.environment.extend([("UPSTREAM_URL", url.to_owned()), ("PROBE_ADDR", probes.to_string())]);
            // Ready pods need the app, which may be started later.
            (pod.probes, pod.probe) = (Some(probes), "/health");
        }
        self
    }

    /// Checks that all planned addresses are free.
    ///
    /// A pod reports an address in use, but not those of other processes, and meanwhile another server on it could be mistaken for
    /// the pod.
    ///
    /// # Errors
    /// Every address that is not free.
    pub(super) fn check_addresses(&self) -> anyhow::Result<()> {
        let taken: Vec<_> = self
            .addresses()
            .filter_map(|(name, address)| {
                let error = TcpListener::bind(address).err()?;
                Some(format!("\n  {name} cannot listen on {address}: {error}"))
            })
            .collect();
        ensure!(taken.is_empty(), "nothing was started (does another `cargo xtask dev` run?):{}", taken.concat());
        Ok(())
    }

    /// Every address that is listened on, with the name of its process.
    fn addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        let processes = self.pods.iter().chain([&self.admin]);
        let theirs = processes.flat_map(|process| process.addresses().map(|address| (process.name.as_str(), address)));
        [("the front door", self.front_door)].into_iter().chain(theirs)
    }

    /// The pods as the front door sees them.
    pub(super) fn backends(&self) -> Vec<Backend> {
        self.pods
            .iter()
            .map(|pod| Backend { name: pod.name.clone(), http: pod.http, probes: pod.probe_address() })
            .collect()
    }
}

/// The folder of the built binaries: our own, wherever the target directory was put.
///
/// # Errors
/// The system does not say where our binary is.
pub(super) fn binaries() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("the path of this binary is unknown")?;
    Ok(own.parent().map(Path::to_path_buf).unwrap_or_default())
}

fn pod(number: u16, port: u16, drain_timeout: Duration) -> Process {
    let name = format!("user-{number}");
    let (http, grpc) = (local(port), local(port + 1));
    let environment = vec![
        ("POD_NAME", name.clone()),
        ("HTTP_ADDR", http.to_string()),
        ("GRPC_ADDR", grpc.to_string()),
        ("SESSION_SCOPE", "tab".to_owned()),
        // A public key is good enough: only this machine is served. It avoids a warning at each start.
        ("SESSION_KEY", "cookies of cargo xtask dev are no secret".to_owned()),
        ("MAX_SESSIONS", "1000".to_owned()),
        ("DRAIN_TIMEOUT", humantime::format_duration(drain_timeout).to_string()),
        // So that the effect of the switch is visible at once.
        ("MAINTENANCE_POLL", "500ms".to_owned()),
    ];
    Process { name, http, grpc: Some(grpc), probes: None, probe: "/ready", binary: "user-tier", environment }
}

fn admin(http: SocketAddr, pods: &[Process]) -> Process {
    let asked: Vec<_> = pods.iter().filter_map(|pod| pod.grpc).map(|address| address.to_string()).collect();
    let environment =
        vec![("HTTP_ADDR", http.to_string()), ("ADMIN_AUTH", "off".to_owned()), ("USER_PODS", asked.join(","))];
    let name = "admin".to_owned();
    Process { name, http, grpc: None, probes: None, probe: "/health", binary: "admin-tier", environment }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ports_are_those_of_the_contract() {
        let plan = Plan::new(9090, 2, Duration::from_secs(60), Path::new("/switch"), None);
        let urls: Vec<_> = plan.pods.iter().chain([&plan.admin]).map(Process::url).collect();
        assert_eq!(urls, ["http://localhost:9190", "http://localhost:9290", "http://localhost:9092"]);
        assert_eq!(plan.front_door.port(), 9090);
        assert!(plan.admin.environment.contains(&("USER_PODS", "127.0.0.1:9191,127.0.0.1:9291".to_owned())));
    }

    #[test]
    fn only_pods_are_told_to_hand_sessions_off() {
        let mut plan = Plan::new(9090, 2, Duration::from_secs(60), Path::new("/switch"), Some("redis://localhost"));
        let hands_off = |process: &Process| process.environment.contains(&("HANDOFF", "on".to_owned()));
        assert!(!plan.pods.iter().any(hands_off));
        plan.hand_off();
        assert!(plan.pods.iter().all(hands_off) && !hands_off(&plan.admin));
    }

    #[test]
    fn no_two_processes_share_an_address_however_many_pods_there_are() {
        let plan = Plan::new(9090, super::super::MOST_PODS, Duration::from_secs(60), Path::new("/switch"), None);
        let addresses: Vec<_> = plan.addresses().map(|(_, address)| address).collect();
        assert_eq!(addresses.iter().collect::<HashSet<_>>().len(), addresses.len());
    }

    #[test]
    fn pods_in_front_of_an_app_know_it_and_have_probes_of_their_own() {
        let plan =
            |upstream| Plan::new(9090, 2, Duration::from_secs(60), Path::new("/switch"), None).in_front_of(upstream);
        let url = "http://127.0.0.1:8000";
        let pods = plan(Some(url)).pods;
        for (pod, probes) in pods.iter().zip(["127.0.0.1:9193", "127.0.0.1:9293"]) {
            let variable = |name| pod.environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
            assert_eq!((variable("UPSTREAM_URL"), variable("PROBE_ADDR")), (Some(url), Some(probes)));
            assert_eq!(variable("SESSION_SCOPE"), None);
            assert_eq!(pod.probe_address().to_string(), probes);
        }
        assert!(plan(None).pods.iter().all(|pod| pod.probe_address() == pod.http && pod.probe == "/ready"));
    }

    #[test]
    fn options_set_by_hand_are_kept_and_conflicting_ones_are_removed() {
        let plan = Plan::new(9090, 1, Duration::from_secs(90), Path::new("/switch"), None);
        let command = plan.pods[0].command(Path::new("bin"));
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).map(|(_, value)| value);
        assert_eq!(variable("DRAIN_TIMEOUT"), Some(Some("1m 30s".as_ref())));
        assert_eq!(variable("REDIS_URL"), Some(None));
        assert_eq!(variable("MAINTENANCE_FILE"), Some(Some("/switch".as_ref())));
        assert_eq!(variable("PROPAGATION_WAIT"), Some(Some("2s".as_ref())));
        assert_eq!(variable("HEARTBEAT_INTERVAL"), None);
    }
}
