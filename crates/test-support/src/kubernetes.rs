//! A double of the Kubernetes API server for tests: objects with a growing revision, lists, watches and patches over real
//! HTTP, and the faults of an API server, which tests switch on.
//!
//! For ConfigMaps and EndpointSlices it behaves as a real API server does. It also accepts the other resources of the
//! manifests, as real `kubectl apply`, `logs`, `delete` and `rollout status` send and read them: it checks the types, stores
//! quantities in their canonical form, and rejects unknown fields in strict mode. To add a resource, add a row in
//! `resource.rs`. It has no admission, defaults or quota, does not require namespaces to exist, and treats a strategic merge
//! patch as a merge patch. Errors in tests panic with the reason.
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
//! // Clients get api.kubeconfig() as KUBECONFIG. Their requests are counted.
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
mod query;
mod resource;
mod selection;
mod server;
mod state;
mod status;
mod store;
mod strict;
mod watch;

pub use access::InCluster;
pub use double::KubernetesDouble;
pub use fault::{Fault, Verb};
pub use state::Options;
