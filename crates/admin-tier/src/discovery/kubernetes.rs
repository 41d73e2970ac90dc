//! Pods behind a Service (`kubernetes://namespace/service:port`), as the Kubernetes API tells them in EndpointSlices:
//! unready and terminating ones, too, which is what the admin tier is for.

mod follow;
mod slices;

use std::fmt;

use backoff::Backoff;
use tokio::time::sleep;

use super::Reporter;

/// A Service and the port of every pod behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    namespace: String,
    name: String,
    port: Port,
}

/// Which of a pod's ports is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Port {
    /// This one, whether or not the Service names it.
    Number(u16),
    /// The one that the Service calls so.
    Name(String),
}

impl Service {
    /// Reads what stands behind `kubernetes://`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(namespace, rest)| Some((namespace, rest.split_once(':')?)));
        match parts.map(|(namespace, (name, port))| (namespace, name, Port::parse(port))) {
            Some((namespace, name, Some(port))) if is_label(namespace, 63) && is_label(name, 63) => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), port })
            }
            _ => Err(format!(
                "{text:?} is no Service with a port; write it like kubernetes://sample-app/sample-app-user-pods:9091, \
                 the port as a number or by its name"
            )),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, port } = self;
        match port {
            Port::Number(port) => write!(f, "kubernetes://{namespace}/{name}:{port}"),
            Port::Name(port) => write!(f, "kubernetes://{namespace}/{name}:{port}"),
        }
    }
}

impl Port {
    fn parse(text: &str) -> Option<Self> {
        if text.chars().all(|c| c.is_ascii_digit()) {
            return text.parse().ok().filter(|port| *port != 0).map(Self::Number);
        }
        is_label(text, 15).then(|| Self::Name(text.to_owned()))
    }
}

/// Whether a text is a name as Kubernetes has them: of small letters, digits and inner hyphens.
fn is_label(text: &str, longest: usize) -> bool {
    let fits = !text.is_empty() && text.len() <= longest && !text.starts_with('-') && !text.ends_with('-');
    fits && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Follows the Service's endpoints until it is dropped.
pub(super) async fn run(service: &Service, reporter: &Reporter) {
    let mut backoff = Backoff::default();
    let client = loop {
        match kubernetes_client::connect().await {
            Ok(client) => break client,
            Err(error) => reporter.failed(&error.to_string()),
        }
        sleep(backoff.next_pause()).await;
    };
    follow::run(client, service, reporter).await;
}
