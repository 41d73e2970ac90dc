//! Traffic that the NetworkPolicies allow and deny.

use serde_json::{Value, json};

use super::{all, list, object, of_kind, overlay};

/// Whether a selector matches these labels.
fn takes(selector: &Value, labels: &[(&str, &str)]) -> bool {
    let value = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = list(&selector["matchExpressions"]);
    equal.into_iter().all(|(key, expected)| value(key) == expected.as_str())
        && expressions.iter().all(|expression| {
            let value = value(expression["key"].as_str().unwrap());
            match expression["operator"].as_str().unwrap() {
                "In" => value.is_some_and(|value| list(&expression["values"]).contains(&json!(value))),
                "Exists" => value.is_some(),
                other => panic!("{other} is not looked at here"),
            }
        })
}

/// A pod, by its labels and its namespace.
#[derive(Clone, Copy)]
struct Pod<'a> {
    labels: &'a [(&'a str, &'a str)],
    namespace: &'a str,
}

const fn tier(labels: &'static [(&'static str, &'static str)]) -> Pod<'static> {
    Pod { labels, namespace: "sample-app" }
}

const USER: Pod = tier(&[("app", "sample-app"), ("tier", "user")]);
const ADMIN: Pod = tier(&[("app", "sample-app"), ("tier", "admin")]);
const MAINTENANCE: Pod = tier(&[("app", "sample-app"), ("tier", "maintenance")]);
const REDIS: Pod = tier(&[("app", "sample-app"), ("tier", "redis")]);
const STRANGER: Pod = tier(&[("app", "something-else")]);
const OUTSIDE: Pod = Pod { labels: &[("app", "sample-app"), ("tier", "admin")], namespace: "elsewhere" };
const PROXY: Pod = Pod { labels: &[], namespace: "ingress-nginx" };
const PROMETHEUS: Pod = Pod { labels: &[("app.kubernetes.io/name", "prometheus")], namespace: "monitoring" };

fn is_peer(peer: &Value, pod: Pod) -> bool {
    if peer["namespaceSelector"].is_null() && peer["podSelector"].is_null() {
        return false;
    }
    let space = &peer["namespaceSelector"];
    let here = if space.is_null() {
        pod.namespace == "sample-app"
    } else {
        takes(space, &[("kubernetes.io/metadata.name", pod.namespace)])
    };
    here && takes(&peer["podSelector"], pod.labels)
}

/// Whether the policies of a direction allow traffic between two pods at a port, of this name or number.
fn allowed(objects: &[Value], direction: &str, pod: Pod, other: Pod, port: (&str, i64)) -> bool {
    let (rules, peers) = if direction == "Ingress" { ("ingress", "from") } else { ("egress", "to") };
    of_kind(objects, "NetworkPolicy").filter(|policy| takes(&policy["spec"]["podSelector"], pod.labels)).any(|policy| {
        assert!(!list(&policy["spec"]["policyTypes"]).is_empty());
        list(&policy["spec"][rules]).iter().any(|rule| {
            let ports = list(&rule["ports"]);
            let at = ports.is_empty() || ports.iter().any(|given| given["port"] == port.0 || given["port"] == port.1);
            at && (rule[peers].is_null() || list(&rule[peers]).iter().any(|peer| is_peer(peer, other)))
        })
    })
}

#[test]
fn every_rendering_denies_by_default() {
    for (name, objects) in all() {
        let all = object(&objects, "NetworkPolicy", "default-deny");
        assert_eq!(all["spec"], json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] }), "{name}");
    }
}

#[test]
fn pods_are_reachable_only_for_their_clients() {
    let http = ("", 9090);
    // A pod, its port, the allowed clients, and the denied ones.
    type Row<'a> = (&'a str, Pod<'a>, (&'a str, i64), &'a [Pod<'a>], &'a [Pod<'a>]);
    let table: &[Row] = &[
        ("pages", USER, http, &[PROXY, PROMETHEUS], &[STRANGER, OUTSIDE, ADMIN, USER, MAINTENANCE, REDIS]),
        ("gRPC", USER, ("", 9091), &[ADMIN], &[STRANGER, OUTSIDE, USER, MAINTENANCE, REDIS, PROXY, PROMETHEUS]),
        ("admin", ADMIN, ("", 9092), &[PROXY, PROMETHEUS], &[STRANGER, OUTSIDE, USER, MAINTENANCE, REDIS]),
        ("maintenance", MAINTENANCE, http, &[PROXY], &[STRANGER, OUTSIDE, USER, ADMIN, PROMETHEUS]),
        ("redis", REDIS, ("", 6379), &[USER, ADMIN], &[STRANGER, OUTSIDE, MAINTENANCE, PROXY, PROMETHEUS]),
    ];
    let objects = overlay("minikube");
    for (what, pod, port, let_in, kept_out) in table {
        for (place, other) in let_in.iter().enumerate() {
            assert!(allowed(&objects, "Ingress", *pod, *other, *port), "{what}: {place} is kept out");
        }
        for (place, other) in kept_out.iter().enumerate() {
            assert!(!allowed(&objects, "Ingress", *pod, *other, *port), "{what}: {place} is let in");
        }
    }
}

#[test]
fn every_tier_admits_the_same_proxies() {
    let objects = overlay("production");
    let from = |name| object(&objects, "NetworkPolicy", name)["spec"]["ingress"][0]["from"].clone();
    assert_eq!(from("from-proxies"), from("admin-from-proxies"));
}

#[test]
fn each_tier_has_only_the_egress_that_it_needs() {
    let anywhere = Pod { labels: &[], namespace: "elsewhere" };
    let dns = Pod { labels: &[("k8s-app", "kube-dns")], namespace: "kube-system" };
    let objects = overlay("minikube");
    let may = |pod, other, port| allowed(&objects, "Egress", pod, other, ("", port));
    for pod in [USER, ADMIN] {
        assert!(may(pod, dns, 53) && may(pod, REDIS, 6379) && may(pod, anywhere, 443) && may(pod, anywhere, 6443));
        assert!(!may(pod, anywhere, 80) && !may(pod, anywhere, 53) && !may(pod, anywhere, 6379));
    }
    let grpc = |pod| allowed(&objects, "Egress", pod, USER, ("grpc", 9091));
    assert!(grpc(ADMIN) && !grpc(USER) && !grpc(MAINTENANCE));
    for pod in [MAINTENANCE, REDIS] {
        assert!(![53, 443, 6379].into_iter().any(|port| may(pod, anywhere, port) || may(pod, dns, port)));
    }
}
