//! The proxy in front of the pods.

mod haproxy;
mod nginx;

use std::net::SocketAddr;
use std::path::Path;

use super::PODS;
use super::options::{Arguments, ProxyKind};
use haproxy::Haproxy;
use nginx::Nginx;

/// A running proxy.
#[derive(Debug)]
pub(super) enum Proxy {
    Haproxy(Box<Haproxy>),
    Nginx(Nginx),
}

impl Proxy {
    /// Starts it in front of pods on these ports.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub(super) async fn start(
        options: &Arguments,
        port: u16,
        pods: [u16; PODS],
        folder: &Path,
        logs: &Path,
    ) -> anyhow::Result<Self> {
        Ok(match options.proxy {
            ProxyKind::Haproxy => Self::Haproxy(Box::new(Haproxy::start(options, port, pods, folder, logs).await?)),
            ProxyKind::Nginx => Self::Nginx(Nginx::start(options, port, pods, folder, logs).await?),
        })
    }

    /// Waits until it routes to the ready pod in this place.
    ///
    /// # Errors
    /// It does not.
    pub(super) async fn wait_for(&self, place: usize) -> anyhow::Result<()> {
        match self {
            Self::Haproxy(haproxy) => haproxy.wait_for(place).await,
            Self::Nginx(nginx) => nginx.wait_for(place).await,
        }
    }

    /// Reloads its configuration, as after a change of certificates.
    ///
    /// # Errors
    /// It has ended.
    pub(super) fn reload(&self) -> anyhow::Result<()> {
        match self {
            Self::Haproxy(haproxy) => haproxy.reload(),
            Self::Nginx(nginx) => nginx.reload(),
        }
    }
}

/// An address on this machine.
pub(super) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
