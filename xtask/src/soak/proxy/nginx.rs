//! nginx, and a controller that writes its upstreams as an ingress controller does: it asks each pod for its
//! readiness, and reloads nginx after each change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::ProxyConfig;
use crate::soak::child::{Child, server};
use crate::soak::options::{Arguments, Sticky};
use crate::soak::plain_http::get;
use crate::soak::{PODS, until};

const WAIT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A running nginx.
#[derive(Debug)]
pub(in crate::soak) struct Nginx {
    child: Arc<Child>,
    /// Which pods it routes to.
    routed: Arc<Mutex<[bool; PODS]>>,
    controller: JoinHandle<()>,
}

impl Nginx {
    pub(super) async fn start(options: &Arguments, config: ProxyConfig<'_>) -> anyhow::Result<Self> {
        let ProxyConfig { port, pods, folder, logs } = config;
        let (file, upstream) = (folder.join("nginx.conf"), folder.join("upstream.conf"));
        fs::write(&file, configuration(options, port))?;
        write_upstream(&upstream, options.sticky, pods, [true; PODS])?;
        let (folder, file) = (folder.to_string_lossy(), file.to_string_lossy());
        let arguments = ["-p", &folder, "-e", "stderr", "-c", &file];
        let child = Arc::new(Child::start(logs, "nginx", &server("nginx")?, &arguments, &[])?);
        until("nginx answers", WAIT, async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await?;
        let routed = Arc::new(Mutex::new([true; PODS]));
        let sticky = options.sticky;
        let controller = tokio::spawn(control(upstream, sticky, pods, Arc::clone(&child), Arc::clone(&routed)));
        Ok(Self { child, routed, controller })
    }

    pub(super) async fn wait_for(&self, place: usize) -> anyhow::Result<()> {
        until(&format!("nginx routes to pod {place}"), WAIT, async || self.routed.lock()[place]).await
    }

    pub(super) fn reload(&self) -> anyhow::Result<()> {
        self.child.signal(Signal::SIGHUP)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// Keeps the upstreams current. A proxy that ignores readiness gets all of them, always.
async fn control(
    file: PathBuf,
    sticky: Sticky,
    pods: [u16; PODS],
    nginx: Arc<Child>,
    routed: Arc<Mutex<[bool; PODS]>>,
) {
    if sticky == Sticky::IgnoringReadiness {
        return;
    }
    loop {
        let mut ready = [false; PODS];
        for (ready, port) in ready.iter_mut().zip(pods) {
            *ready = get(port, "/ready").await.is_ok_and(|(status, _)| status == 200);
        }
        let has_changed = ready != *routed.lock();
        // nginx does not start without an upstream.
        if has_changed && ready.contains(&true) && write_upstream(&file, sticky, pods, ready).is_ok() {
            let _ = nginx.signal(Signal::SIGHUP);
            *routed.lock() = ready;
        }
        sleep(POLL_INTERVAL).await;
    }
}

fn write_upstream(file: &Path, sticky: Sticky, pods: [u16; PODS], ready: [bool; PODS]) -> anyhow::Result<()> {
    let servers: String = pods
        .iter()
        .zip(ready)
        .filter(|(_, ready)| *ready)
        .map(|(port, _)| format!("    server 127.0.0.1:{port} max_fails=0;\n"))
        .collect();
    let hash = if sticky == Sticky::Off { "" } else { "    hash $route consistent;\n" };
    fs::write(
        file,
        format!("upstream lastcall {{\n{hash}{servers}    keepalive 64;\n    keepalive_timeout 60s;\n}}\n"),
    )?;
    Ok(())
}

fn configuration(options: &Arguments, port: u16) -> String {
    let listen = if options.http2 { " http2" } else { "" };
    format!(
        "daemon off; pid nginx.pid; worker_processes 2; worker_shutdown_timeout 60s;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    map $http_cookie $route {{
        '~(?:^|;\\s*)(?:__Host-)?session=(?<id>[^;]+)' $id;
        default $request_id;
    }}
    include upstream.conf;
    server {{
        listen 127.0.0.1:{port}{listen};
        keepalive_requests 100000;
        location / {{
            proxy_pass http://lastcall;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_request_buffering off;
        }}
    }}
}}
"
    )
}
