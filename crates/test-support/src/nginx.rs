//! A real nginx in front of a tier: as careless as its defaults allow, or set up as a test says.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::server_binary;
use crate::{Process, eventually, free_port};

/// A running nginx. Killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    _process: Process,
    /// Where it listens.
    pub address: String,
    _folder: TempDir,
}

impl Nginx {
    /// Puts nginx before `upstream` (`host:port`): it speaks HTTP/1.0 to it, buffers and compresses what it answers,
    /// and cuts it off after `idle` without a byte.
    pub async fn before(upstream: &str, idle: Duration) -> Self {
        Self::with(|address| careless(address, upstream, idle)).await
    }

    /// Starts nginx with what stands within its `http { … }`: `http` gives it for the address to listen on.
    pub async fn with(http: impl FnOnce(&str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration(&http(&address))).unwrap();
        let place = folder.path().to_str().unwrap();
        let process =
            Process::start(server_binary("nginx"), &["-p", place, "-e", "stderr", "-c", file.to_str().unwrap()], &[]);
        eventually("nginx", || async { tokio::net::TcpStream::connect(&address).await.ok() }).await;
        Self { _process: process, address, _folder: folder }
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

fn careless(address: &str, upstream: &str, idle: Duration) -> String {
    let idle = idle.as_millis();
    format!(
        "   gzip on; gzip_proxied any; gzip_types *; gzip_min_length 0;
            proxy_buffering on; proxy_http_version 1.0;
            proxy_read_timeout {idle}ms; proxy_send_timeout {idle}ms; send_timeout {idle}ms;
            server {{
                listen {address};
                location / {{ proxy_pass http://{upstream}; proxy_set_header Host $http_host; }}
            }}"
    )
}
