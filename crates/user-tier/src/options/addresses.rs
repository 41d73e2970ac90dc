//! `HTTP_ADDR`, `GRPC_ADDR`, `METRICS_ADDR` and `PROBE_ADDR`: where the pod listens.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;
use cli::options::{self, Environment, OptionErrors};

/// The address of pages, for pods and for the maintenance page.
pub(super) const HTTP: &str = "0.0.0.0:9090";

/// The port of the probes in front of an app, unless `PROBE_ADDR` says another.
pub(super) const PROBE_PORT: u16 = 9093;

/// Placeholder for an invalid address until the errors are reported.
pub(super) const PLACEHOLDER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The addresses as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Addresses")]
pub(super) struct AddressArgs {
    /// Pages, events, and (unless PROBE_ADDR and METRICS_ADDR are set) probes and metrics
    #[arg(long, env, default_value = HTTP)]
    http_addr: String,
    /// Introspection over gRPC
    #[arg(long, env, default_value = "0.0.0.0:9091")]
    grpc_addr: String,
    /// If set, /metrics is served there and no longer on HTTP_ADDR [default: unset; with UPSTREAM_URL that of PROBE_ADDR]
    #[arg(long, env)]
    metrics_addr: Option<String>,
    /// If set, the probes are served there and no longer on HTTP_ADDR, with /wait-for-drain, and /drain and /tasks for processes
    /// of this pod. Equal addresses are one listener [default: unset; with UPSTREAM_URL 0.0.0.0:9093 in a pod, 127.0.0.1:9093
    /// elsewhere]
    #[arg(long, env)]
    probe_addr: Option<String>,
}

/// Where the pod listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// `HTTP_ADDR`: pages, events.
    pub http: SocketAddr,
    /// `GRPC_ADDR`: introspection.
    pub grpc: SocketAddr,
    /// `METRICS_ADDR`: where metrics are served, if on a listener of their own.
    pub metrics: Option<SocketAddr>,
    /// `PROBE_ADDR`; none: probes are served on `http`.
    pub probes: Option<Probes>,
}

/// What `PROBE_ADDR` comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probes {
    /// The address; none: it is that of `http`.
    pub own: Option<SocketAddr>,
    /// Whether metrics are served there, too.
    pub with_metrics: bool,
}

impl AddressArgs {
    /// Parses the addresses. `has_upstream`: the paths of `HTTP_ADDR` belong to an app.
    pub(super) fn parse(
        &self,
        has_upstream: bool,
        environment: &dyn Environment,
        errors: &mut OptionErrors,
    ) -> Addresses {
        let mut address = |variable, text: &str| errors.value_or(variable, options::address(text), PLACEHOLDER);
        let http = address("HTTP_ADDR", &self.http_addr);
        let grpc = address("GRPC_ADDR", &self.grpc_addr);
        let metrics = options::non_empty(self.metrics_addr.as_deref()).map(|text| address("METRICS_ADDR", text));
        let probes = options::non_empty(self.probe_addr.as_deref()).map(|text| address("PROBE_ADDR", text));
        let probes = probes.or_else(|| has_upstream.then(|| default_of_probes(environment)));
        report_conflicts(http, grpc, metrics, probes, errors);
        let probes = probes.map(|address| {
            let with_metrics = metrics.map_or(has_upstream, |metrics| is_one(metrics, address));
            Probes { own: (!is_one(address, http)).then_some(address), with_metrics }
        });
        let is_elsewhere = |address| is_one(address, http) || probes.is_some_and(|probes| probes.with_metrics);
        Addresses { http, grpc, metrics: metrics.filter(|address| !is_elsewhere(*address)), probes }
    }
}

/// In a pod the kubelet has to reach the probes; elsewhere no other machine needs them.
fn default_of_probes(environment: &dyn Environment) -> SocketAddr {
    let is_pod = environment.get("KUBERNETES_SERVICE_HOST").is_some();
    let address = if is_pod { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    SocketAddr::from((address, PROBE_PORT))
}

/// Whether two addresses are one listener. Port 0 is another port each time.
fn is_one(address: SocketAddr, other: SocketAddr) -> bool {
    address == other && address.port() != 0
}

/// Reports addresses that take each other's port and are not one listener. gRPC has one of its own.
fn report_conflicts(
    http: SocketAddr,
    grpc: SocketAddr,
    metrics: Option<SocketAddr>,
    probes: Option<SocketAddr>,
    errors: &mut OptionErrors,
) {
    let named =
        [("HTTP_ADDR", Some(http)), ("GRPC_ADDR", Some(grpc)), ("METRICS_ADDR", metrics), ("PROBE_ADDR", probes)];
    for (index, (name, address)) in named.into_iter().enumerate() {
        for (other_name, other) in named.into_iter().take(index) {
            let Some((address, other)) = address.zip(other) else { continue };
            let is_shared = is_one(address, other) && name != "GRPC_ADDR" && other_name != "GRPC_ADDR";
            let is_taken = address.port() != 0
                && address.port() == other.port()
                && (address.ip() == other.ip() || address.ip().is_unspecified() || other.ip().is_unspecified());
            if is_taken && !is_shared {
                errors.push(name, format_args!("{address} is taken by {other_name}; give each a port of its own"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn parse(written: &[&str], has_upstream: bool, variables: &[(&str, &str)]) -> Result<Addresses, String> {
        let command = AddressArgs::augment_args(clap::Command::new("test"));
        let matches = command.try_get_matches_from([&["test"], written].concat()).unwrap();
        let environment: HashMap<&str, &str> = variables.iter().copied().collect();
        let mut errors = OptionErrors::default();
        let addresses = AddressArgs::from_arg_matches(&matches).unwrap().parse(has_upstream, &environment, &mut errors);
        errors.into_result(addresses).map_err(|errors| errors.to_string())
    }

    fn at(text: &str) -> Option<SocketAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn in_front_of_an_app_probes_and_metrics_have_a_listener_that_is_open_in_pods_only() {
        assert_eq!(parse(&[], false, &[]).unwrap().probes, None);
        let laptop = parse(&[], true, &[]).unwrap();
        assert_eq!(laptop.probes, Some(Probes { own: at("127.0.0.1:9093"), with_metrics: true }));
        assert_eq!(laptop.metrics, None);
        let pod = parse(&[], true, &[("KUBERNETES_SERVICE_HOST", "10.96.0.1")]).unwrap();
        assert_eq!(pod.probes, Some(Probes { own: at("0.0.0.0:9093"), with_metrics: true }));
        let apart = parse(&["--metrics-addr", "127.0.0.1:9100"], true, &[]).unwrap();
        assert_eq!(apart.probes, Some(Probes { own: at("127.0.0.1:9093"), with_metrics: false }));
        assert_eq!(apart.metrics, at("127.0.0.1:9100"));
    }

    #[test]
    fn equal_addresses_are_one_listener() {
        let one = ["--http-addr", "0.0.0.0:80", "--metrics-addr", "0.0.0.0:80", "--probe-addr", "0.0.0.0:80"];
        let addresses = parse(&one, false, &[]).unwrap();
        assert_eq!(addresses.metrics, None);
        assert_eq!(addresses.probes, Some(Probes { own: None, with_metrics: true }));
        let two = ["--metrics-addr", "0.0.0.0:81", "--probe-addr", "0.0.0.0:81"];
        let addresses = parse(&two, false, &[]).unwrap();
        assert_eq!(addresses.metrics, None);
        assert_eq!(addresses.probes, Some(Probes { own: at("0.0.0.0:81"), with_metrics: true }));
        let on_pages = parse(&["--metrics-addr", "0.0.0.0:9090", "--probe-addr", "0.0.0.0:81"], true, &[]).unwrap();
        assert_eq!((on_pages.metrics, on_pages.probes.unwrap().with_metrics), (None, false));
        let free = ["--http-addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0", "--probe-addr", "127.0.0.1:0"];
        let addresses = parse(&free, false, &[]).unwrap();
        assert_eq!(addresses.metrics, at("127.0.0.1:0"));
        assert_eq!(addresses.probes, Some(Probes { own: at("127.0.0.1:0"), with_metrics: false }));
    }

    #[test]
    fn probes_on_the_port_of_another_address_are_a_fault() {
        for (written, taken_by) in [("127.0.0.1:9090", "HTTP_ADDR"), ("0.0.0.0:9091", "GRPC_ADDR")] {
            let fault = parse(&["--probe-addr", written], false, &[]).unwrap_err();
            assert!(fault.starts_with(&format!("PROBE_ADDR: {written} is taken by {taken_by}")), "{fault}");
            assert_eq!(fault.lines().count(), 1, "{fault}");
        }
        let faults = parse(&["--probe-addr", "nowhere"], true, &[]).unwrap_err();
        assert!(faults.starts_with("PROBE_ADDR: ") && faults.lines().count() == 1, "{faults}");
    }
}
