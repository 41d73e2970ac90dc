//! The custom resource in the manifests, checked against its API: no unknown fields, and none of the experimental channel. Defaults
//! of the API are written out, and the type requires them: kubectl would otherwise send the lists at each `apply` and report the
//! route as "configured". (The monitors and rules have a test of their own.)

use serde::Deserialize;

use super::{of_kind, with};

/// An HTTPRoute of gateway.networking.k8s.io/v1, standard channel, as far as it is used here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code, reason = "decoding it is the test")]
struct HttpRoute {
    api_version: String,
    kind: String,
    metadata: serde_json::Value,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code, reason = "decoding it is the test")]
struct Spec {
    parent_refs: Vec<Parent>,
    hostnames: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code, reason = "decoding it is the test")]
struct Parent {
    group: String,
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code, reason = "decoding it is the test")]
struct Rule {
    matches: Vec<Match>,
    timeouts: Option<Timeouts>,
    backend_refs: Vec<Backend>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    path: PathMatch,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathMatch {
    r#type: PathKind,
    value: String,
}

#[derive(Debug, Deserialize, PartialEq)]
enum PathKind {
    Exact,
    PathPrefix,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Timeouts {
    request: String,
    backend_request: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "decoding it is the test")]
struct Backend {
    group: String,
    kind: String,
    name: String,
    port: u16,
    weight: u16,
}

#[test]
fn the_route_is_valid_in_the_standard_channel() {
    let objects = with(&["gateway"]);
    let routes: Vec<_> = of_kind(&objects, "HTTPRoute").collect();
    assert_eq!(routes.len(), 1);
    let route: HttpRoute = serde_json::from_value(routes[0].clone()).unwrap();
    assert_eq!(route.api_version, "gateway.networking.k8s.io/v1");
    for parent in &route.spec.parent_refs {
        assert_eq!((&*parent.group, &*parent.kind), ("gateway.networking.k8s.io", "Gateway"));
    }
    for backend in route.spec.rules.iter().flat_map(|rule| &rule.backend_refs) {
        assert_eq!((&*backend.group, &*backend.kind, backend.weight), ("", "Service", 1), "{}", backend.name);
    }
    for rule in &route.spec.rules {
        // The API's own limits: at most 64 matches, absolute paths, durations of GEP-2257.
        assert!(rule.matches.len() <= 64 && rule.matches.iter().all(|it| it.path.value.starts_with('/')));
        assert!(rule.matches.iter().all(|it| it.path.r#type == PathKind::Exact || !it.path.value.contains("//")));
        assert!(rule.timeouts.as_ref().is_none_or(|it| it.request == "0s" && it.backend_request == "0s"));
    }
}

#[test]
fn a_field_of_the_experimental_channel_is_found() {
    let objects = with(&["gateway"]);
    let mut route = of_kind(&objects, "HTTPRoute").next().unwrap().clone();
    route["spec"]["rules"][0]["sessionPersistence"] = serde_json::json!({ "type": "Cookie" });
    let error = serde_json::from_value::<HttpRoute>(route).unwrap_err().to_string();
    assert!(error.contains("sessionPersistence"), "{error}");
}
