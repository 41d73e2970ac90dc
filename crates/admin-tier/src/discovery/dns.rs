//! Pods behind a DNS name (`dns://name:port`), resolved every few seconds by the system's resolver.
//!
//! A pod that DNS no longer names may still run: terminating and unready pods leave the answers of an ordinary Service
//! while users are still on them. An answer without addresses cannot be distinguished from a failing resolver, as the system reports
//! both as errors. Neither removes a pod, however long it lasts; only an answer that names other pods does, by the rules of
//! the fleet.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use fleet::{Address, DiscoveredPod};
use tokio::time::{sleep, timeout};

use super::address::{host_and_port, is_host_name};
use super::state::Reporter;

/// How often the name is resolved. Each pause is up to a fifth shorter or longer.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How long resolving may take before it is reported as failing. It is not started a second time meanwhile.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A DNS name, and the port of every pod behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    host: String,
    port: u16,
}

impl Name {
    /// Parses what follows `dns://`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match host_and_port(text).filter(|(host, _)| is_host_name(host)) {
            Some((host, port)) => Ok(Self { host: host.to_owned(), port }),
            None => Err(format!(
                "{text:?} is no name with a port; write it like dns://sample-app-user-pods.sample-app.svc:9091"
            )),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dns://{}:{}", self.host, self.port)
    }
}

/// Resolves names. A trait, so that tests can script the answers.
pub(super) trait Resolve {
    /// Returns all addresses of a name, with the port, in any order, with or without duplicates.
    fn resolve(&self, name: &Name) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    async fn resolve(&self, name: &Name) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name.host.as_str(), name.port)).await?.collect())
    }
}

/// Resolves the name until it is dropped.
pub(super) async fn run(name: &Name, resolver: &impl Resolve, reporter: &Reporter) {
    loop {
        let mut answer = pin!(resolver.resolve(name));
        let answer = match timeout(RESOLVE_TIMEOUT, &mut answer).await {
            Ok(answer) => answer,
            Err(_) => {
                reporter.failed(&format!("nothing resolves {} within {} s", name.host, RESOLVE_TIMEOUT.as_secs()));
                answer.await
            }
        };
        match answer {
            Ok(addresses) if addresses.is_empty() => reporter.failed(&format!("{} has no addresses", name.host)),
            Ok(addresses) => reporter.found(pods(addresses), None),
            Err(error) => reporter.failed(&format!("{} cannot be resolved: {error}", name.host)),
        }
        sleep(POLL_INTERVAL.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
    }
}

/// Returns the pods of an answer. A pod with an IPv4 and an IPv6 address occurs twice, and the answer does not tell which
/// addresses belong together: where there are IPv4 addresses, only those are used.
fn pods(mut addresses: Vec<SocketAddr>) -> Vec<DiscoveredPod> {
    if addresses.iter().any(SocketAddr::is_ipv4) {
        addresses.retain(SocketAddr::is_ipv4);
    }
    addresses.into_iter().map(|address| DiscoveredPod::at(Address::new(&address.to_string()))).collect()
}

#[cfg(test)]
mod tests;
