//! A double of the Kubernetes API server for tests: objects with one growing revision, lists, watches and patches over
//! real HTTP, and every way in which an API server can fail its clients, switched on from the test.
//!
//! It keeps to what clients of ConfigMaps and EndpointSlices can see of a real one, and takes whatever else the manifests
//! hold, from `kubectl apply` too: decoded into the kind's type, quantities in the one form that is kept, unknown fields
//! refused where a client asks for it. `kubectl logs` gets a line of each pod that runs. Another resource is a row in
//! `resource.rs`. It knows no admission, no defaults, no quota, no namespaces that would have to be there first, and no
//! strategic merge but for what a merge patch would do as well. For tests alone: whatever goes wrong here panics and says
//! what.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use test_support::kubernetes::{Fault, KubernetesDouble, Verb};
//!
//! let api = KubernetesDouble::start().await;
//! api.put(&serde_json::json!({
//!     "apiVersion": "v1", "kind": "ConfigMap",
//!     "metadata": { "namespace": "sample-app", "name": "app-config" },
//! }));
//! // Whoever is to use it gets api.kubeconfig() as KUBECONFIG; what it then asked is counted.
//! api.fault(Verb::Watch, Fault::Forbidden);
//! assert_eq!(api.asked(Verb::Watch), 0);
//! # });
//! ```

mod access;
mod api;
mod discovery;
mod double;
mod fault;
mod log;
mod patch;
mod quantity;
mod resource;
mod selection;
mod server;
mod status;
mod store;
mod strict;
mod watch;

pub use access::InCluster;
pub use double::{KubernetesDouble, Options};
pub use fault::{Fault, Verb};
