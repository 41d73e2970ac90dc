//! Discovery of the pods (`USER_PODS`): a fixed list, a DNS name, or a Kubernetes Service.
//!
//! Each form publishes [`DiscoveryState`] as state, not as messages, so that a late reader misses nothing. A form that fails
//! never removes a pod. A pod that discovery no longer names leaves by the rules of the fleet.

mod address;
mod dns;
mod kubernetes;
mod state;
mod static_list;

use std::fmt;

use address::FORMS;
use fleet::{Address, DiscoveredPod};
pub(crate) use state::{DiscoveryState, Reporter};
use tokio_util::sync::CancellationToken;

/// How pods are discovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// From a fixed list.
    StaticList(Vec<Address>),
    /// By resolving a name.
    Dns(dns::Name),
    /// By watching the endpoints of a Service.
    Kubernetes(kubernetes::Service),
}

impl Default for Discovery {
    fn default() -> Self {
        Self::StaticList(Vec::new())
    }
}

impl Discovery {
    /// Parses `host:port,host:port`, `dns://name:port` or `kubernetes://namespace/service:port`.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().split_once("://") {
            None => static_list::parse(text).map(Self::StaticList),
            Some(("dns", rest)) => dns::Name::parse(rest).map(Self::Dns),
            Some(("kubernetes", rest)) => kubernetes::Service::parse(rest).map(Self::Kubernetes),
            Some((scheme, _)) => Err(format!("{scheme:?} is no way to find pods; {FORMS}")),
        }
    }

    /// Discovers pods until `stop` is cancelled. A fixed list is published before this returns.
    pub(crate) fn run(self, reporter: Reporter, stop: CancellationToken) -> impl Future<Output = ()> + Send {
        if let Self::StaticList(addresses) = &self {
            reporter.found(addresses.iter().cloned().map(DiscoveredPod::fixed).collect(), None);
        }
        let discovering = async move {
            match self {
                Self::StaticList(_) => std::future::pending().await,
                Self::Dns(name) => dns::run(&name, &dns::SystemResolver, &reporter).await,
                Self::Kubernetes(service) => kubernetes::run(&service, &reporter).await,
            }
        };
        async move {
            stop.run_until_cancelled(discovering).await;
        }
    }
}

/// Returns what is wrong where the option is missing.
pub(crate) fn required() -> String {
    format!("is required; {FORMS}, where the pods are asked on their GRPC_ADDR, like 10.0.0.1:9091,10.0.0.2:9091")
}

impl fmt::Display for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaticList(addresses) => {
                let texts: Vec<_> = addresses.iter().map(Address::as_str).collect();
                f.write_str(&texts.join(","))
            }
            Self::Dns(name) => name.fmt(f),
            Self::Kubernetes(service) => service.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_displayed_as_it_was_written() {
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
    fn anything_else_is_refused_with_what_to_write() {
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
