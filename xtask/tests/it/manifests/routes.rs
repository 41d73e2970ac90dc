//! The paths that the Ingress and the HTTPRoute expose: everything but probes and metrics.

use serde_json::{Value, json};

use super::{list, object, of_kind, with};

/// Paths that must not be reachable from outside.
const REFUSED: [&str; 7] = ["/metrics", "/metrics/", "/health", "/healthz", "/ready", "/readyz", "/ready/x"];

/// Paths that are reachable from outside.
const OPEN: [&str; 6] = ["/", "/events", "/login", "/t/abc/events", "/healthy", "/metricsx"];

/// Whether a path of this type, as both APIs define it, matches a request: prefixes match whole segments.
fn takes(kind: &str, path: &str, request: &str) -> bool {
    match kind {
        "Exact" => request == path,
        "Prefix" | "PathPrefix" => {
            let path = path.trim_end_matches('/');
            request.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        other => panic!("{other} means something else to each controller"),
    }
}

/// The backend of the most specific path (type, path, backend) that matches a request.
fn backend<'a>(paths: &[(&'a str, &'a str, &'a Value)], request: &str) -> Option<&'a Value> {
    let taking = paths.iter().filter(|(kind, path, _)| takes(kind, path, request));
    taking.max_by_key(|(kind, path, _)| (*kind == "Exact", path.len())).map(|(_, _, backend)| *backend)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn the_ingress_refuses_probes_and_metrics_and_routes_all_else_to_the_pods() {
    let objects = with(&["ingress"]);
    let ingress = object(&objects, "Ingress", "sample-app-user");
    let paths = list(&ingress["spec"]["rules"][0]["http"]["paths"]);
    let paths: Vec<_> = paths
        .iter()
        .map(|path| (text(&path["pathType"]), text(&path["path"]), &path["backend"]["service"]["name"]))
        .collect();
    for path in REFUSED {
        assert_eq!(backend(&paths, path), Some(&json!("sample-app-maintenance-service")), "{path}");
    }
    for path in OPEN {
        assert_eq!(backend(&paths, path), Some(&json!("sample-app-user-service")), "{path}");
    }
    let annotations = ingress["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(annotations["nginx.ingress.kubernetes.io/affinity"], "cookie");
    assert!(annotations.keys().all(|name| !name.contains("snippet")), "snippets are switched off almost everywhere");
    let service = object(&objects, "Service", "sample-app-user-service");
    assert_eq!(service["metadata"]["annotations"]["traefik.ingress.kubernetes.io/service.sticky.cookie"], "true");
}

#[test]
fn the_gateway_routes_likewise_and_cuts_no_event_stream() {
    let objects = with(&["gateway"]);
    let route = object(&objects, "HTTPRoute", "sample-app-user");
    let mut paths = Vec::new();
    for rule in list(&route["spec"]["rules"]) {
        for found in list(&rule["matches"]) {
            paths.push((text(&found["path"]["type"]), text(&found["path"]["value"]), rule));
        }
    }
    let leads_to = |path: &str| text(&backend(&paths, path).unwrap()["backendRefs"][0]["name"]);
    for path in REFUSED {
        assert_eq!(leads_to(path), "sample-app-maintenance-service", "{path}");
    }
    for path in OPEN {
        assert_eq!(leads_to(path), "sample-app-user-service", "{path}");
    }
    let events = backend(&paths, "/events").unwrap();
    assert_eq!(events["timeouts"], json!({ "request": "0s", "backendRequest": "0s" }));
}

#[test]
fn a_refused_path_that_leads_to_the_maintenance_page_gets_404() {
    for (name, objects) in super::all() {
        let page = object(&objects, "Deployment", "sample-app-maintenance");
        let container = &page["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["args"], json!(["maintenance-page"]), "{name}");
        assert_eq!(container["env"], json!([{ "name": "HIDE_PROBES", "value": "true" }]), "{name}");
    }
}

#[test]
fn every_backend_is_a_service_with_that_port() {
    for (component, kind) in [("ingress", "Ingress"), ("gateway", "HTTPRoute")] {
        let objects = with(&[component]);
        let mut backends = 0;
        for route in of_kind(&objects, kind) {
            for rule in list(&route["spec"]["rules"]) {
                let paths = list(&rule["http"]["paths"]).iter().map(|path| {
                    let service = &path["backend"]["service"];
                    (text(&service["name"]), "name", &service["port"]["name"])
                });
                let references = list(&rule["backendRefs"]).iter().map(|it| (text(&it["name"]), "port", &it["port"]));
                for (service, by, port) in paths.chain(references) {
                    let ports = list(&object(&objects, "Service", service)["spec"]["ports"]);
                    assert!(ports.iter().any(|given| given[by] == *port), "{component}: {service} {port}");
                    backends += 1;
                }
            }
        }
        assert!(backends > 1, "{component}");
    }
}
