//! Where the pods are (`USER_PODS`): a list that stands in the options, a name that is resolved again and again, or a
//! Service whose endpoints Kubernetes tells.
//!
//! Each of them yields [`Findings`] as state, not as messages: who looks late misses nothing. None of them ever takes a
//! pod back because it failed itself; what it does not name any more leaves by the rules of the fleet.

mod dns;
mod findings;
mod fixed;
mod kubernetes;

use std::fmt;

use fleet::{Address, DiscoveredPod};
use tokio_util::sync::CancellationToken;

pub(crate) use findings::{Findings, Reporter};

/// How to write it, as every fault says.
const FORMS: &str = "write host:port,host:port or dns://name:port or kubernetes://namespace/service:port";

/// How pods are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// They stand in the options.
    Fixed(Vec<Address>),
    /// A name is resolved to them.
    Dns(dns::Name),
    /// Kubernetes tells the endpoints of a Service.
    Kubernetes(kubernetes::Service),
}

impl Default for Discovery {
    fn default() -> Self {
        Self::Fixed(Vec::new())
    }
}

impl Discovery {
    /// Reads `host:port,host:port`, `dns://name:port` or `kubernetes://namespace/service:port`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().split_once("://") {
            None => fixed::parse(text).map(Self::Fixed),
            Some(("dns", rest)) => dns::Name::parse(rest).map(Self::Dns),
            Some(("kubernetes", rest)) => kubernetes::Service::parse(rest).map(Self::Kubernetes),
            Some((scheme, _)) => Err(format!("{scheme:?} is no way to find pods; {FORMS}")),
        }
    }

    /// Looks for pods until `stop` is cancelled. What stands in the options is found before it returns.
    pub(crate) fn run(self, reporter: Reporter, stop: CancellationToken) -> impl Future<Output = ()> + Send {
        if let Self::Fixed(addresses) = &self {
            reporter.found(addresses.iter().cloned().map(DiscoveredPod::fixed).collect(), None);
        }
        let looking = async move {
            match self {
                Self::Fixed(_) => std::future::pending().await,
                Self::Dns(name) => dns::run(&name, &dns::System, &reporter).await,
                Self::Kubernetes(service) => kubernetes::run(&service, &reporter).await,
            }
        };
        async move {
            stop.run_until_cancelled(looking).await;
        }
    }
}

/// What is said where nothing is written.
pub(crate) fn required() -> String {
    format!("is required; {FORMS}, where the pods are asked on their GRPC_ADDR, like 10.0.0.1:9091,10.0.0.2:9091")
}

impl fmt::Display for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(addresses) => {
                let texts: Vec<_> = addresses.iter().map(Address::as_str).collect();
                f.write_str(&texts.join(","))
            }
            Self::Dns(name) => name.fmt(f),
            Self::Kubernetes(service) => service.fmt(f),
        }
    }
}

/// The port after the last colon, and what stands before it.
fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some((host, port))
}

/// Whether a text can be the name of a host, or its IPv4 address.
fn is_name(host: &str) -> bool {
    !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_pods_is_written_back_as_it_was_read() {
        for text in [
            "10.0.0.1:9091,user-2.pods:9091,[::1]:9091",
            "dns://user-pods.sample-app.svc:9091",
            "kubernetes://sample-app/sample-app-user-pods:9091",
            "kubernetes://sample-app/sample-app-user-pods:grpc",
        ] {
            assert_eq!(Discovery::parse(&format!(" {text} ")).unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_with_what_to_write() {
        for (bad, hint) in [
            ("http://a:1", "dns://name:port"),
            ("DNS://a:1", "dns://name:port"),
            ("://", "kubernetes://namespace/service:port"),
            ("dns://", "dns://"),
            ("dns://name", "dns://"),
            ("dns://:9091", "dns://"),
            ("dns://name:grpc", "dns://"),
            ("dns://name:0", "dns://"),
            ("dns://a:1,b:1", "dns://"),
            ("dns://a b:1", "dns://"),
            ("dns://[::1]:1", "dns://"),
            ("a:1,dns://b:1", "host:port"),
            ("kubernetes://", "kubernetes://"),
            ("kubernetes://service:9091", "kubernetes://"),
            ("kubernetes:///service:9091", "kubernetes://"),
            ("kubernetes://ns/:9091", "kubernetes://"),
            ("kubernetes://ns/service", "kubernetes://"),
            ("kubernetes://ns/service:", "kubernetes://"),
            ("kubernetes://ns/service:0", "kubernetes://"),
            ("kubernetes://ns/service:65536", "kubernetes://"),
            ("kubernetes://ns/service:GRPC", "kubernetes://"),
            ("kubernetes://ns/service:a-port-with-a-long-name", "kubernetes://"),
            ("kubernetes://Name/service:9091", "kubernetes://"),
            ("kubernetes://ns/other/service:9091", "kubernetes://"),
            ("kubernetes://ns/-service:9091", "kubernetes://"),
        ] {
            let fault = Discovery::parse(bad).unwrap_err();
            assert!(fault.contains(hint), "{bad}: {fault}");
        }
    }
}
