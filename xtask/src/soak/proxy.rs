//! The proxy in front of the pods.

mod haproxy;
mod nginx;

use std::net::SocketAddr;
use std::path::Path;

use super::PODS;
use super::options::{Arguments, ProxyKind};
use haproxy::Haproxy;
use nginx::Nginx;

/// Where a proxy listens, and what it is in front of.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProxyConfig<'a> {
    pub(super) port: u16,
    /// The ports of the pods.
    pub(super) pods: [u16; PODS],
    /// For its configuration.
    pub(super) folder: &'a Path,
    pub(super) logs: &'a Path,
}

/// A running proxy.
#[derive(Debug)]
pub(super) enum Proxy {
    Haproxy(Box<Haproxy>),
    Nginx(Nginx),
}

impl Proxy {
    /// Starts it.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub(super) async fn start(options: &Arguments, config: ProxyConfig<'_>) -> anyhow::Result<Self> {
        Ok(match options.proxy {
            ProxyKind::Haproxy => Self::Haproxy(Box::new(Haproxy::start(options, config).await?)),
            ProxyKind::Nginx => Self::Nginx(Nginx::start(options, config).await?),
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
