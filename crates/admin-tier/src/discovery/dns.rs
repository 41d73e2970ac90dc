//! Pods behind a name (`dns://name:port`), resolved every few seconds by the system's own resolver.
//!
//! What DNS does not name any more may well be there: terminating and unready pods leave an ordinary Service's answers
//! while people are still on them. And nobody can tell an answer without addresses from a resolver in trouble (the
//! system reports both as errors), so neither ever takes a pod back, however long it lasts: only an answer that names
//! others does, by the rules of the fleet.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use fleet::{Address, DiscoveredPod};
use tokio::time::{sleep, timeout};

use super::{Reporter, host_and_port, is_name};

/// The name is resolved so often; each pause is up to a fifth shorter or longer.
const EVERY: Duration = Duration::from_secs(5);

/// A resolver that takes longer than this is said to be in trouble. It is not asked a second time meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// A name and the port of every pod behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    host: String,
    port: u16,
}

impl Name {
    /// Reads what stands behind `dns://`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match host_and_port(text).filter(|(host, _)| is_name(host)) {
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

/// Whoever knows the addresses behind a name; a trait so that tests can play the answers.
pub(super) trait Resolve {
    /// All addresses of a name, with the port, in whatever order and however often.
    fn resolve(&self, name: &Name) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Resolve for System {
    async fn resolve(&self, name: &Name) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name.host.as_str(), name.port)).await?.collect())
    }
}

/// Resolves the name until it is dropped.
pub(super) async fn run(name: &Name, resolver: &impl Resolve, reporter: &Reporter) {
    loop {
        let mut answer = pin!(resolver.resolve(name));
        let answer = match timeout(PATIENCE, &mut answer).await {
            Ok(answer) => answer,
            Err(_) => {
                reporter.failed(&format!("nothing resolves {} within {} s", name.host, PATIENCE.as_secs()));
                answer.await
            }
        };
        match answer {
            Ok(addresses) if addresses.is_empty() => reporter.failed(&format!("{} has no addresses", name.host)),
            Ok(addresses) => reporter.found(pods(addresses), None),
            Err(error) => reporter.failed(&format!("{} cannot be resolved: {error}", name.host)),
        }
        sleep(EVERY.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
    }
}

/// The pods of an answer. A pod with an address of either kind stands in it twice, and nothing there tells which two
/// belong together: where there are IPv4 addresses, they count.
fn pods(mut addresses: Vec<SocketAddr>) -> Vec<DiscoveredPod> {
    if addresses.iter().any(SocketAddr::is_ipv4) {
        addresses.retain(SocketAddr::is_ipv4);
    }
    addresses.into_iter().map(|address| DiscoveredPod::at(Address::new(&address.to_string()))).collect()
}

#[cfg(test)]
mod tests;
