//! `HTTP_ADDR`, `GRPC_ADDR` and `METRICS_ADDR`: where the pod listens.

use std::net::SocketAddr;

use clap::Args;
use cli::options::{self, OptionErrors};

/// The address of pages, for pods and for the maintenance page.
pub(super) const HTTP: &str = "0.0.0.0:9090";

/// Placeholder for an invalid address until the errors are reported.
pub(super) const PLACEHOLDER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The addresses as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Addresses")]
pub(super) struct AddressArgs {
    /// Pages, events, probes and (unless METRICS_ADDR is set) metrics
    #[arg(long, env, default_value = HTTP)]
    http_addr: String,
    /// Introspection over gRPC
    #[arg(long, env, default_value = "0.0.0.0:9091")]
    grpc_addr: String,
    /// If set, /metrics is served there and no longer on HTTP_ADDR
    #[arg(long, env)]
    metrics_addr: Option<String>,
}

/// Where the pod listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// `HTTP_ADDR`: pages, events, probes.
    pub http: SocketAddr,
    /// `GRPC_ADDR`: introspection.
    pub grpc: SocketAddr,
    /// `METRICS_ADDR`: where metrics are served, if not on `http`.
    pub metrics: Option<SocketAddr>,
}

impl AddressArgs {
    pub(super) fn parse(&self, errors: &mut OptionErrors) -> Addresses {
        let mut address = |variable, text: &str| errors.value_or(variable, options::address(text), PLACEHOLDER);
        let addresses = Addresses {
            http: address("HTTP_ADDR", &self.http_addr),
            grpc: address("GRPC_ADDR", &self.grpc_addr),
            metrics: options::non_empty(self.metrics_addr.as_deref()).map(|text| address("METRICS_ADDR", text)),
        };
        report_conflicts(addresses, errors);
        addresses
    }
}

fn report_conflicts(addresses: Addresses, errors: &mut OptionErrors) {
    let named =
        [("HTTP_ADDR", Some(addresses.http)), ("GRPC_ADDR", Some(addresses.grpc)), ("METRICS_ADDR", addresses.metrics)];
    for (index, (name, address)) in named.into_iter().enumerate() {
        for (other_name, other) in named.into_iter().take(index) {
            if let (Some(address), Some(other)) = (address, other)
                && address.port() != 0
                && address.port() == other.port()
                && (address.ip() == other.ip() || address.ip().is_unspecified() || other.ip().is_unspecified())
            {
                errors.push(name, format_args!("{address} is taken by {other_name}; give each a port of its own"));
            }
        }
    }
}
