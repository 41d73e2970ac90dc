//! The custom resources of the Prometheus operator, parsed by types without unknown fields: a cluster would refuse a misspelt
//! field, or silently drop it, and no schema of Kubernetes itself covers them.

#![allow(dead_code, reason = "that a field is read is the test")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::text;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Resource<Spec> {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ServiceMonitor {
    selector: Selector,
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PodMonitor {
    selector: Selector,
    pod_metrics_endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Endpoint {
    port: String,
    path: String,
    interval: String,
    #[serde(default)]
    honor_labels: bool,
    #[serde(default)]
    metric_relabelings: Vec<Relabeling>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Relabeling {
    source_labels: Vec<String>,
    regex: String,
    action: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrometheusRule {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    r#for: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// Reads a resource of this kind, which must be the only one in the file.
fn resource<Spec: DeserializeOwned>(name: &str, kind: &str) -> Spec {
    let path = format!("kubernetes/components/monitoring/{name}.yaml");
    let resource: Resource<Spec> =
        serde_saphyr::from_str(&text(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!((resource.api_version.as_str(), resource.kind.as_str()), ("monitoring.coreos.com/v1", kind));
    resource.spec
}

#[test]
fn the_monitors_and_the_rule_have_only_fields_of_the_operator() {
    let service: ServiceMonitor = resource("service-monitor", "ServiceMonitor");
    let pods: PodMonitor = resource("pod-monitor", "PodMonitor");
    for (selector, endpoints, tier) in
        [(&service.selector, &service.endpoints, "admin"), (&pods.selector, &pods.pod_metrics_endpoints, "user")]
    {
        let labels = [("app", "sample-app"), ("tier", tier)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(selector.match_labels, BTreeMap::from(labels));
        assert_eq!(endpoints.len(), 1, "a second endpoint would count everything twice");
    }
    let rule: PrometheusRule = resource("prometheus-rule", "PrometheusRule");
    assert!(rule.groups.iter().all(|group| !group.rules.is_empty()));
}
