//! A real nginx in front of a tier: as careless as its defaults allow, or set up as a test says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::server_binary;
use crate::{Process, Signal, eventually, free_port};

/// What nginx answers in place of its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A page of its own with this status, one of [`STATUSES`](Self::STATUSES).
    Status(u16),
    /// A page with status 200 that is somebody else's, as a captive portal has it.
    Portal,
    /// The way to somebody else's page.
    Redirect,
}

impl Trouble {
    /// What proxies answer that find no upstream, or are one themselves.
    pub const STATUSES: [u16; 5] = [500, 502, 503, 504, 521];

    fn all() -> impl Iterator<Item = Self> {
        Self::STATUSES.into_iter().map(Self::Status).chain([Self::Portal, Self::Redirect])
    }

    /// The file whose presence switches it on.
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

/// A running nginx. Killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Option<Process>,
    /// Where it listens.
    pub address: String,
    folder: TempDir,
}

impl Nginx {
    /// Puts nginx before `upstream` (`host:port`): it speaks HTTP/1.0 to it, buffers and compresses what it answers,
    /// and cuts it off after `idle` without a byte.
    pub async fn before(upstream: &str, idle: Duration) -> Self {
        Self::begin(|address, folder| careless(address, upstream, idle, folder)).await
    }

    /// Starts nginx with what stands within its `http { … }`: `http` gives it for the address to listen on.
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

    /// Starts it again at the same address.
    pub async fn start(&mut self) {
        let file = self.folder.path().join("nginx.conf");
        let place = self.folder.path().to_str().unwrap();
        let arguments = ["-p", place, "-e", "stderr", "-c", file.to_str().unwrap()];
        self.process = Some(Process::start(server_binary("nginx"), &arguments, &[]));
        eventually("nginx", || async { tokio::net::TcpStream::connect(&self.address).await.ok() }).await;
    }

    /// Kills it: connections are refused from then on.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::SIGKILL);
            process.wait().await;
        }
    }

    /// Answers like this from now on, or with what its upstream says.
    pub fn answers(&self, trouble: Option<Trouble>) {
        for other in Trouble::all() {
            let _ = fs::remove_file(self.folder.path().join(other.file()));
        }
        if let Some(trouble) = trouble {
            fs::write(self.folder.path().join(trouble.file()), "").unwrap();
        }
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// One process without a master: killing it kills it all, and it stays the user that started it.
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

fn careless(address: &str, upstream: &str, idle: Duration, folder: &Path) -> String {
    let idle = idle.as_millis();
    let mut troubles = String::new();
    for trouble in Trouble::all() {
        let _ = write!(troubles, "if (-f {}/{}) {{ return {}; }} ", folder.display(), trouble.file(), trouble.answer());
    }
    format!(
        "   gzip on; gzip_proxied any; gzip_types *; gzip_min_length 0;
            proxy_buffering on; proxy_http_version 1.0;
            proxy_read_timeout {idle}ms; proxy_send_timeout {idle}ms; send_timeout {idle}ms;
            server {{
                listen {address};
                default_type text/html;
                location / {{ {troubles} proxy_pass http://{upstream}; proxy_set_header Host $http_host; }}
            }}"
    )
}
