//! HAProxy, which asks each pod for its readiness, as docs/proxies.md recommends. It runs as master and worker, so
//! that it can be reloaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::ProxyConfig;
use crate::soak::child::{Child, server};
use crate::soak::options::{Arguments, Sticky};
use crate::soak::{PODS, until};

const WAIT: Duration = Duration::from_secs(20);

/// A running HAProxy.
#[derive(Debug)]
pub(in crate::soak) struct Haproxy {
    child: Child,
    socket: PathBuf,
}

impl Haproxy {
    pub(super) async fn start(options: &Arguments, config: ProxyConfig<'_>) -> anyhow::Result<Self> {
        let ProxyConfig { port, pods, folder, logs } = config;
        let (socket, file) = (folder.join("haproxy.sock"), folder.join("haproxy.cfg"));
        fs::write(&file, configuration(options, port, pods, &socket))?;
        let arguments = ["-W", "-db", "-f", &file.to_string_lossy()];
        let child = Child::start(logs, "haproxy", &server("haproxy")?, &arguments, &[])?;
        let haproxy = Self { child, socket };
        for place in 0..PODS {
            haproxy.wait_for(place).await?;
        }
        Ok(haproxy)
    }

    pub(super) async fn wait_for(&self, place: usize) -> anyhow::Result<()> {
        until(&format!("haproxy routes to pod {place}"), WAIT, async || self.is_up(place).await.unwrap_or(false)).await
    }

    /// Whether the pod in this place passed its last check.
    async fn is_up(&self, place: usize) -> anyhow::Result<bool> {
        let mut connection = UnixStream::connect(&self.socket).await?;
        connection.write_all(b"show stat\n").await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        let start = format!("pods,s{place},");
        let mut lines = answer.lines().filter(|line| line.starts_with(&start));
        // `L7OK` follows where a check has passed; before the first one a server is `UP` as well.
        Ok(lines.any(|line| line.split(',').any(|field| field == "UP") && line.contains(",L7OK,")))
    }

    pub(super) fn reload(&self) -> anyhow::Result<()> {
        self.child.signal(Signal::SIGUSR2)
    }
}

fn configuration(options: &Arguments, port: u16, pods: [u16; PODS], socket: &Path) -> String {
    // HAProxy's own checks name no host, which HTTP/2 needs.
    let proto = if options.h2c { " proto h2 check-proto h1" } else { "" };
    let cookie = |place: usize| if options.sticky == Sticky::Off { String::new() } else { format!(" cookie s{place}") };
    let servers: String = pods
        .iter()
        .enumerate()
        .map(|(place, pod)| format!("    server s{place} 127.0.0.1:{pod}{proto}{}\n", cookie(place)))
        .collect();
    let sticky = match options.sticky {
        Sticky::Off => "",
        Sticky::On => "    cookie route insert indirect nocache\n",
        // The cookie leads to a pod that is down, until it refuses connections.
        Sticky::IgnoringReadiness => "    cookie route insert indirect nocache\n    option persist\n",
    };
    let listen = if options.http2 { " proto h2" } else { "" };
    format!(
        "global
    stats socket {socket} mode 600 level admin expose-fd listeners
    maxconn 8000
defaults
    mode http
    timeout connect 5s
    timeout check 3s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    timeout http-keep-alive 60s
    option http-no-delay
frontend web
    bind 127.0.0.1:{port}{listen}
    default_backend pods
backend pods
    balance roundrobin
    option httpchk GET /ready
    http-check expect status 200
    option redispatch 1
    http-reuse safe
{sticky}    default-server check inter 200ms fall 1 rise 1 pool-purge-delay 30s
{servers}",
        socket = socket.display()
    )
}
