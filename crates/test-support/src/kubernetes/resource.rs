//! The resources that the double knows, and the paths that name them.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::kubernetes::strict;

/// One resource.
#[derive(Debug)]
pub(super) struct Resource {
    /// `v1`, `discovery.k8s.io/v1`.
    pub(super) api_version: &'static str,
    /// `ConfigMap`.
    pub(super) kind: &'static str,
    /// `configmaps`.
    pub(super) plural: &'static str,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
    /// Fails with the reason if an object is not of this kind.
    pub(super) check: fn(&Value) -> Result<(), String>,
    /// Returns the fields of an object that this kind does not have.
    pub(super) unknown: fn(&Value) -> Vec<String>,
}

/// All resources. Add a row to add a resource.
const RESOURCES: [Resource; 14] = [
    namespaced::<ConfigMap>(),
    namespaced::<EndpointSlice>(),
    cluster::<Namespace>(),
    namespaced::<Pod>(),
    namespaced::<Secret>(),
    namespaced::<Service>(),
    namespaced::<ServiceAccount>(),
    namespaced::<Deployment>(),
    namespaced::<HorizontalPodAutoscaler>(),
    namespaced::<Ingress>(),
    namespaced::<NetworkPolicy>(),
    namespaced::<PodDisruptionBudget>(),
    namespaced::<Role>(),
    namespaced::<RoleBinding>(),
];

pub(super) static TABLE: &[Resource] = &RESOURCES;

const fn namespaced<T>() -> Resource
where
    T: k8s_openapi::Resource<Scope = NamespaceResourceScope> + DeserializeOwned + Serialize,
{
    row::<T>(true)
}

const fn cluster<T>() -> Resource
where
    T: k8s_openapi::Resource<Scope = ClusterResourceScope> + DeserializeOwned + Serialize,
{
    row::<T>(false)
}

const fn row<T: k8s_openapi::Resource + DeserializeOwned + Serialize>(namespaced: bool) -> Resource {
    Resource {
        api_version: T::API_VERSION,
        kind: T::KIND,
        plural: T::URL_PATH_SEGMENT,
        namespaced,
        check: strict::check::<T>,
        unknown: strict::unknown::<T>,
    }
}

/// The identity of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) plural: &'static str,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// What a path names.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) resource: &'static Resource,
    /// `None` stands for all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// Whether the path names the log of the pod.
    pub(super) log: bool,
}

impl Target {
    /// Parses `/api/v1/namespaces/{namespace}/configmaps/{name}` and the like.
    pub(super) fn parse(path: &str) -> Option<Self> {
        TABLE.iter().find_map(|resource| {
            let root = if resource.api_version.contains('/') { "/apis/" } else { "/api/" };
            let rest = path.strip_prefix(root)?.strip_prefix(resource.api_version)?.strip_prefix('/')?;
            let mut parts: Vec<_> = rest.split('/').collect();
            let log = matches!(*parts, ["namespaces", _, "pods", _, "log"]);
            if log {
                parts.pop();
            }
            let (namespace, name) = match *parts {
                [plural, name] if !resource.namespaced && plural == resource.plural => (None, Some(name)),
                [plural] if plural == resource.plural => (None, None),
                ["namespaces", namespace, plural] if resource.namespaced && plural == resource.plural => {
                    (Some(namespace), None)
                }
                ["namespaces", namespace, plural, name] if resource.namespaced && plural == resource.plural => {
                    (Some(namespace), Some(name))
                }
                _ => return None,
            };
            Some(Self { resource, namespace: namespace.map(str::to_owned), name: name.map(str::to_owned), log })
        })
    }
}

/// The resource of this version and kind.
///
/// # Panics
/// Panics if it is not in the table.
pub(super) fn of_kind(api_version: &str, kind: &str) -> &'static Resource {
    let found = TABLE.iter().find(|resource| resource.api_version == api_version && resource.kind == kind);
    found.unwrap_or_else(|| panic!("the double knows no {api_version} {kind}: add a row in resource.rs"))
}

/// The resource with this plural.
///
/// # Panics
/// Panics if it is not in the table.
pub(super) fn of_plural(plural: &str) -> &'static Resource {
    let found = TABLE.iter().find(|resource| resource.plural == plural);
    found.unwrap_or_else(|| panic!("the double knows no {plural}: add a row in resource.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_list_or_an_object_or_nothing() {
        let slices = Target::parse("/apis/discovery.k8s.io/v1/endpointslices").unwrap();
        assert_eq!((slices.resource.kind, slices.namespace, slices.name), ("EndpointSlice", None, None));
        let map = Target::parse("/api/v1/namespaces/sample-app/configmaps/app-config").unwrap();
        assert_eq!(map.resource.kind, "ConfigMap");
        assert_eq!((map.namespace.as_deref(), map.name.as_deref()), (Some("sample-app"), Some("app-config")));
        let space = Target::parse("/api/v1/namespaces/sample-app").unwrap();
        assert_eq!(
            (space.resource.kind, space.namespace, space.name.as_deref()),
            ("Namespace", None, Some("sample-app"))
        );
        assert!(Target::parse("/api/v1/namespaces").unwrap().name.is_none());
        let log = Target::parse("/api/v1/namespaces/sample-app/pods/a/log").unwrap();
        assert_eq!((log.resource.kind, log.name.as_deref(), log.log), ("Pod", Some("a"), true));
        assert!(Target::parse("/api/v1/namespaces/sample-app/configmaps/a/log").is_none());
        for none in ["/", "/api/v1", "/api/v1/nodes", "/apis/v1/configmaps", "/api/v1/namespaces/a/configmaps/b/c"] {
            assert!(Target::parse(none).is_none(), "{none}");
        }
    }
}
