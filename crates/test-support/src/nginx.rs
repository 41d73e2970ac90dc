//! A real nginx in front of a tier, with unfavourable settings or with those of a test.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::server_binary;
use crate::{Process, Signal, eventually, free_port};

/// A response of nginx in place of that of its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// An error page with this status, one of [`STATUSES`](Self::STATUSES).
    Status(u16),
    /// A foreign page with status 200, as of a captive portal.
    Portal,
    /// A redirect to a foreign page.
    Redirect,
}

impl ProxyFault {
    /// The statuses of proxies that cannot reach their upstream.
    pub const STATUSES: [u16; 5] = [500, 502, 503, 504, 521];

    fn all() -> impl Iterator<Item = Self> {
        Self::STATUSES.into_iter().map(Self::Status).chain([Self::Portal, Self::Redirect])
    }

    /// The file that switches the fault on while it exists.
    fn file(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Portal => "portal".to_owned(),
            Self::Redirect => "redirect".to_owned(),
        }
    }

    fn answer(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Portal => "200 '<!doctype html><title>Wi-Fi</title><h1>Welcome to our Wi-Fi</h1>'".to_owned(),
            Self::Redirect => "302 http://localhost:9/sign-in".to_owned(),
        }
    }
}

/// A running nginx. Dropping it kills it.
#[derive(Debug)]
pub struct Nginx {
    process: Option<Process>,
    /// The address that it listens on.
    pub address: String,
    folder: TempDir,
}

impl Nginx {
    /// Starts nginx before `upstream` (`host:port`). It speaks HTTP/1.0 to the upstream, buffers and compresses responses,
    /// and closes connections after `idle` without data.
    pub async fn before(upstream: &str, idle: Duration) -> Self {
        Self::begin(|address, folder| unfavourable(address, upstream, idle, folder)).await
    }

    /// Starts nginx with the content of its `http { … }` block, which `http` returns for the address to listen on.
    pub async fn with(http: impl FnOnce(&str) -> String) -> Self {
        Self::begin(|address, _| http(address)).await
    }

    async fn begin(http: impl FnOnce(&str, &Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        fs::write(folder.path().join("nginx.conf"), configuration(&http(&address, folder.path()))).unwrap();
        let mut nginx = Self { process: None, address, folder };
        nginx.start().await;
        nginx
    }

    /// Starts nginx again at the same address.
    pub async fn start(&mut self) {
        let file = self.folder.path().join("nginx.conf");
        let place = self.folder.path().to_str().unwrap();
        let arguments = ["-p", place, "-e", "stderr", "-c", file.to_str().unwrap()];
        self.process = Some(Process::start(server_binary("nginx"), &arguments, &[]));
        eventually("nginx", || async { tokio::net::TcpStream::connect(&self.address).await.ok() }).await;
    }

    /// Kills nginx. New connections are refused.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::SIGKILL);
            process.wait().await;
        }
    }

    /// Switches a fault on, or off with `None`.
    pub fn answers(&self, fault: Option<ProxyFault>) {
        for other in ProxyFault::all() {
            let _ = fs::remove_file(self.folder.path().join(other.file()));
        }
        if let Some(fault) = fault {
            fs::write(self.folder.path().join(fault.file()), "").unwrap();
        }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A single process without a master, so that killing it is enough, and it keeps its user.
fn configuration(http: &str) -> String {
    format!(
        "daemon off; master_process off; pid nginx.pid;
        events {{ worker_connections 256; }}
        http {{
            access_log off;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            {http}
        }}"
    )
}

fn unfavourable(address: &str, upstream: &str, idle: Duration, folder: &Path) -> String {
    let idle = idle.as_millis();
    let mut faults = String::new();
    for fault in ProxyFault::all() {
        let _ = write!(faults, "if (-f {}/{}) {{ return {}; }} ", folder.display(), fault.file(), fault.answer());
    }
    format!(
        "   gzip on; gzip_proxied any; gzip_types *; gzip_min_length 0;
            proxy_buffering on; proxy_http_version 1.0;
            proxy_read_timeout {idle}ms; proxy_send_timeout {idle}ms; send_timeout {idle}ms;
            server {{
                listen {address};
                default_type text/html;
                location / {{ {faults} proxy_pass http://{upstream}; proxy_set_header Host $http_host; }}
            }}"
    )
}
