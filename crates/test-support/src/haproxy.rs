//! A real HAProxy in front of pods. In `mode tcp` it routes as a Kubernetes Service does: a terminating pod gets no new
//! connection while another one is ready, and keeps its open ones. Tests can configure it otherwise.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::process::server_binary;
use crate::{Process, eventually, free_port};

/// The column of `show stat` with the status of a server.
const STATUS_COLUMN: usize = 17;

/// A running HAProxy. Dropping it kills it.
#[derive(Debug)]
pub struct Haproxy {
    process: Process,
    /// The address that it listens on, as `127.0.0.1:port`.
    pub address: String,
    socket: PathBuf,
    _folder: TempDir,
}

impl Haproxy {
    /// Starts HAProxy with this many empty slots for pods. See [`serve`](Self::serve).
    pub async fn with_slots(slots: usize) -> Self {
        Self::with(|address| service(address, slots)).await
    }

    /// Starts HAProxy with the sections that `sections` returns for the address to listen on.
    pub async fn with(sections: impl FnOnce(&str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let socket = folder.path().join("admin.sock");
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, configuration(socket.to_str().unwrap(), &sections(&address))).unwrap();
        let process = Process::start(server_binary("haproxy"), &["-db", "-f", file.to_str().unwrap()], &[]);
        eventually("haproxy", || async { UnixStream::connect(&socket).await.ok() }).await;
        Self { process, address, socket, _folder: folder }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts the pod at `address` (`host:port`) into a slot, and waits until it gets connections because `/ready` answers 200.
    pub async fn serve(&self, slot: usize, address: &str) {
        let (host, port) = address.rsplit_once(':').unwrap();
        self.ask(&format!("set server pods/s{slot} addr {host} port {port}")).await;
        self.ask(&format!("set server pods/s{slot} state ready")).await;
        eventually("the pod in rotation", || async { (self.status(slot).await == "UP").then_some(()) }).await;
    }

    /// Stops new connections to the pod in a slot while another pod is ready. Open connections stay.
    pub async fn drain(&self, slot: usize) {
        self.ask(&format!("set server pods/s{slot} state drain")).await;
    }

    /// Empties a slot.
    pub async fn free(&self, slot: usize) {
        self.ask(&format!("set server pods/s{slot} state maint")).await;
    }

    /// The status of a slot: `UP`, `DOWN`, `DRAIN` or `MAINT`, with further words during a check.
    pub async fn status(&self, slot: usize) -> String {
        let statistics = self.ask("show stat pods 4 -1").await;
        let server = format!("s{slot}");
        let line = statistics.lines().find(|line| line.split(',').nth(1) == Some(server.as_str()));
        let status = line.and_then(|line| line.split(',').nth(STATUS_COLUMN));
        status.unwrap_or_else(|| panic!("no {server} in {statistics:?}")).to_owned()
    }

    /// How many servers of a backend have passed a check. Before its first one, a server counts as up, too.
    pub async fn checked(&self, backend: &str) -> usize {
        let statistics = self.ask("show stat").await;
        let servers = statistics.lines().filter(|line| line.starts_with(&format!("{backend},")));
        servers.filter(|line| line.contains(",UP,") && line.contains(",L7OK,")).count()
    }

    /// Sends a command to the runtime socket and returns the answer.
    async fn ask(&self, command: &str) -> String {
        let mut connection = UnixStream::connect(&self.socket).await.unwrap();
        connection.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let refused = ["Unknown command", "No such", "Require", "Invalid", "Permission denied"];
        let log = || self.process.log().join("\n");
        assert!(!refused.iter().any(|refusal| answer.contains(refusal)), "{command}: {answer}\n{}", log());
        answer
    }
}

fn configuration(socket: &str, sections: &str) -> String {
    format!(
        "global
    stats socket {socket} mode 600 level admin
    maxconn 1000
{sections}"
    )
}

/// Like a Service, does not try a second pod if one refuses a connection.
fn service(address: &str, slots: usize) -> String {
    let servers: String = (0..slots).map(|slot| format!("    server s{slot} 127.0.0.1:1 disabled\n")).collect();
    format!(
        "defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    retries 0
frontend service
    bind {address}
    default_backend pods
backend pods
    balance roundrobin
    option httpchk GET /ready
    http-check expect status 200
    default-server check inter 200ms fall 2 rise 1
{servers}"
    )
}
