//! Which processes are to run: their names, ports and environments. Starts none of them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Lastcall's options that would make pods of one machine fight, keep them from running on memory alone over plain
/// HTTP, or change what Ctrl-C does. All other options reach the processes as they are
/// (`PROPAGATION_WAIT=1s cargo xtask dev`).
const NOT_INHERITED: [&str; 26] = [
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
    "REDIS_URL",
    "REDIS_URL_FILE",
    "SECOND_SIGNAL",
    "SESSION_KEY",
    "SESSION_KEY_FILE",
    "SESSION_SCOPE",
    "TERMINATION_GRACE_PERIOD",
    "TRUSTED_PROXIES",
    "TRUSTED_USER_HEADER",
    "USER_PODS",
];

/// One process to be.
#[derive(Debug)]
pub(super) struct Process {
    /// `user-1`, `admin`.
    pub(super) name: String,
    /// Where it serves HTTP.
    pub(super) http: SocketAddr,
    /// Where it answers the admin tier, if it is a user pod.
    pub(super) grpc: Option<SocketAddr>,
    /// What answers 200 once it is ready.
    pub(super) probe: &'static str,
    binary: &'static str,
    environment: Vec<(&'static str, String)>,
}

impl Process {
    /// The command that starts it, from the folder that cargo puts binaries in.
    pub(super) fn command(&self, binaries: &Path) -> Command {
        let mut command = Command::new(binaries.join(self.binary));
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// Its HTTP address, as one types it into a browser.
    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.http.port())
    }

    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [Some(self.http), self.grpc].into_iter().flatten()
    }
}

/// All processes: the user pods, then the admin tier.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) pods: Vec<Process>,
    pub(super) admin: Process,
}

impl Plan {
    /// Plans so many pods, each 100 ports above the one before.
    pub(super) fn new(pods: u16, drain_timeout: Duration, switch: &Path, redis: Option<&str>) -> Self {
        let mut pods: Vec<_> = (0..pods).map(|index| pod(index, drain_timeout)).collect();
        let mut admin = admin(&pods);
        let switch = switch.to_string_lossy();
        for process in pods.iter_mut().chain([&mut admin]) {
            process.environment.push(("MAINTENANCE_FILE", switch.clone().into_owned()));
            process.environment.extend(redis.map(|url| ("REDIS_URL", url.to_owned())));
        }
        Self { pods, admin }
    }

    /// Checks that nobody listens where these processes shall.
    ///
    /// A pod would say so itself, but only one port at a time, and whoever listens there could pass for it meanwhile.
    ///
    /// # Errors
    /// Every address that is not free.
    pub(super) fn check_addresses(&self) -> anyhow::Result<()> {
        let processes = self.pods.iter().chain([&self.admin]);
        let taken: Vec<_> = processes
            .flat_map(|process| process.addresses().map(move |address| (process, address)))
            .filter_map(|(process, address)| {
                let error = TcpListener::bind(address).err()?;
                Some(format!("\n  {} cannot listen on {address}: {error}", process.name))
            })
            .collect();
        ensure!(taken.is_empty(), "nothing was started (does another `cargo xtask dev` run?):{}", taken.concat());
        Ok(())
    }
}

/// The folder of the built binaries: our own, wherever the target directory was put.
///
/// # Errors
/// The system does not say where our binary is.
pub(super) fn binaries() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("where this binary lies is unknown")?;
    Ok(own.parent().map(Path::to_path_buf).unwrap_or_default())
}

fn pod(index: u16, drain_timeout: Duration) -> Process {
    let name = format!("user-{}", index + 1);
    let (http, grpc) = (local(9090 + 100 * index), local(9091 + 100 * index));
    let environment = vec![
        ("POD_NAME", name.clone()),
        ("HTTP_ADDR", http.to_string()),
        ("GRPC_ADDR", grpc.to_string()),
        ("SESSION_SCOPE", "tab".to_owned()),
        // Anybody may know it: only this machine is served. It spares newcomers a warning at each start.
        ("SESSION_KEY", "cookies of cargo xtask dev are no secret".to_owned()),
        ("MAX_SESSIONS", "1000".to_owned()),
        ("DRAIN_TIMEOUT", humantime::format_duration(drain_timeout).to_string()),
        // Nobody is to wonder whether the switch works.
        ("MAINTENANCE_POLL", "500ms".to_owned()),
    ];
    Process { name, http, grpc: Some(grpc), probe: "/ready", binary: "user-tier", environment }
}

fn admin(pods: &[Process]) -> Process {
    let http = local(9092);
    let asked: Vec<_> = pods.iter().filter_map(|pod| pod.grpc).map(|address| address.to_string()).collect();
    let environment =
        vec![("HTTP_ADDR", http.to_string()), ("ADMIN_AUTH", "off".to_owned()), ("USER_PODS", asked.join(","))];
    Process { name: "admin".to_owned(), http, grpc: None, probe: "/health", binary: "admin-tier", environment }
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
        let plan = Plan::new(2, Duration::from_secs(60), Path::new("/switch"), None);
        let urls: Vec<_> = plan.pods.iter().chain([&plan.admin]).map(Process::url).collect();
        assert_eq!(urls, ["http://localhost:9090", "http://localhost:9190", "http://localhost:9092"]);
        assert!(plan.admin.environment.contains(&("USER_PODS", "127.0.0.1:9091,127.0.0.1:9191".to_owned())));
    }

    #[test]
    fn no_two_processes_share_an_address_however_many_pods_there_are() {
        let plan = Plan::new(super::super::MOST_PODS, Duration::from_secs(60), Path::new("/switch"), None);
        let addresses: Vec<_> = plan.pods.iter().chain([&plan.admin]).flat_map(Process::addresses).collect();
        assert_eq!(addresses.iter().collect::<HashSet<_>>().len(), addresses.len());
    }

    #[test]
    fn what_is_set_by_hand_survives_what_is_taken_away() {
        let plan = Plan::new(1, Duration::from_secs(90), Path::new("/switch"), None);
        let command = plan.pods[0].command(Path::new("bin"));
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).map(|(_, value)| value);
        assert_eq!(variable("DRAIN_TIMEOUT"), Some(Some("1m 30s".as_ref())));
        assert_eq!(variable("REDIS_URL"), Some(None));
        assert_eq!(variable("MAINTENANCE_FILE"), Some(Some("/switch".as_ref())));
        assert_eq!(variable("PROPAGATION_WAIT"), None);
    }
}
