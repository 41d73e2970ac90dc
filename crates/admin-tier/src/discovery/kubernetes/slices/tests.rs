//! Slices as clusters have them, and as they should not.

use serde_json::{Value, json};

use super::*;

fn service(port: &str) -> Service {
    Service::parse(&format!("sample-app/user-pods:{port}")).unwrap()
}

/// A slice with a port called `grpc` (9091) and one called `http` (9090).
fn slice(endpoints: &[Value]) -> Value {
    let kind = if endpoints.iter().any(|e| e.to_string().contains("fd00")) { "IPv6" } else { "IPv4" };
    let ports = json!([{ "name": "http", "port": 9090, "protocol": "TCP" }, { "name": "grpc", "port": 9091 }]);
    json!({ "addressType": kind, "metadata": { "name": "s" }, "endpoints": endpoints, "ports": ports })
}

fn endpoint(address: &str, pod: &str) -> Value {
    json!({ "addresses": [address], "targetRef": { "kind": "Pod", "name": pod, "uid": format!("uid-{pod}") } })
}

fn with(mut value: Value, key: &str, to: Value) -> Value {
    value[key] = to;
    value
}

fn read_all(port: &str, slices: &[Value]) -> Read {
    let slices: Vec<EndpointSlice> = slices.iter().map(|s| serde_json::from_value(s.clone()).unwrap()).collect();
    read(slices.iter(), &service(port))
}

/// `address=pod` for each.
fn pods(read: &Read) -> Vec<String> {
    let text =
        |found: &DiscoveredPod| format!("{}={}", found.address, found.pod.as_ref().map_or("", |pod| pod.as_str()));
    read.pods.iter().map(text).collect()
}

#[test]
fn ports_go_by_number_or_by_name() {
    let slices = [slice(&[endpoint("10.0.0.1", "a")])];
    for (port, address) in [("9091", "10.0.0.1:9091=a"), ("grpc", "10.0.0.1:9091=a"), ("7000", "10.0.0.1:7000=a")] {
        let read = read_all(port, &slices);
        assert_eq!((pods(&read), &read.fault), (vec![address.to_owned()], &None), "{port}");
    }
}

#[test]
fn a_port_that_is_not_there_is_named_with_those_that_are() {
    let whole = slice(&[endpoint("10.0.0.1", "a")]);
    for (slice, hint) in [
        (with(whole.clone(), "ports", json!([{ "name": "http", "port": 9090 }])), "there: http"),
        (with(whole.clone(), "ports", json!([{ "port": 9091 }])), "none has a name"),
        (with(whole.clone(), "ports", json!([])), "none has a name"),
        (with(whole.clone(), "ports", Value::Null), "none has a name"),
        (with(whole.clone(), "ports", json!([{ "name": "grpc" }])), "has no number"),
        (with(whole.clone(), "ports", json!([{ "name": "grpc", "port": 9091, "protocol": "UDP" }])), "there: grpc"),
    ] {
        let read = read_all("grpc", &[slice.clone(), slice.clone()]);
        let fault = read.fault.unwrap();
        assert!(read.pods.is_empty() && fault.contains(hint), "{fault}");
        assert_eq!(fault.matches(hint).count(), 1, "once: {fault}");
        assert_eq!(pods(&read_all("9091", &[slice])), ["10.0.0.1:9091=a"], "the number needs no name");
    }
    let empty = with(slice(&[]), "ports", Value::Null);
    assert_eq!(read_all("grpc", &[empty]), Read { pods: vec![], fault: None }, "the Service has no pods");
}

#[test]
fn unready_and_terminating_endpoints_are_there_and_say_so() {
    let conditions = json!({ "ready": false, "serving": true, "terminating": true });
    let slices = [slice(&[
        with(endpoint("10.0.0.1", "a"), "conditions", conditions),
        with(endpoint("10.0.0.2", "b"), "conditions", json!({ "ready": false })),
        endpoint("10.0.0.3", "c"),
    ])];
    let all: Vec<_> = read_all("9091", &slices).pods.into_iter().map(|pod| pod.conditions).collect();
    let leaving = Conditions { ready: Some(false), serving: Some(true), terminating: Some(true) };
    assert_eq!(all, [leaving, Conditions { ready: Some(false), ..Conditions::default() }, Conditions::default()]);
}

#[test]
fn an_endpoint_in_two_slices_is_one_pod_with_what_both_say() {
    let before = with(endpoint("10.0.0.1", "a"), "conditions", json!({ "ready": true, "serving": true }));
    let after = json!({ "addresses": ["10.0.0.1"], "conditions": { "ready": false, "terminating": true } });
    let (before, after) = (slice(&[before]), slice(&[after]));
    for slices in [[before.clone(), after.clone()], [after, before]] {
        let read = read_all("9091", &slices);
        assert_eq!(pods(&read), ["10.0.0.1:9091=a"]);
        let both = Conditions { ready: Some(false), serving: Some(true), terminating: Some(true) };
        assert_eq!(read.pods[0].conditions, both);
    }
}

#[test]
fn what_has_no_pod_behind_it_is_an_address_all_the_same() {
    let bare = json!({ "addresses": ["10.0.0.1"] });
    let other = json!({ "addresses": ["10.0.0.2"], "targetRef": { "kind": "Node", "name": "n" } });
    let nameless = json!({ "addresses": ["10.0.0.3"], "targetRef": { "kind": "Pod" } });
    let read = read_all("9091", &[slice(&[bare, other, nameless])]);
    assert_eq!(pods(&read), ["10.0.0.1:9091=", "10.0.0.2:9091=", "10.0.0.3:9091="]);
}

#[test]
fn ipv6_is_bracketed_and_a_pod_with_both_kinds_is_asked_once() {
    let v6 = slice(&[endpoint("fd00::1", "a"), endpoint("fd00::2", "b")]);
    assert_eq!(pods(&read_all("9091", std::slice::from_ref(&v6))), ["[fd00::1]:9091=a", "[fd00::2]:9091=b"]);
    let v4 = slice(&[endpoint("10.0.0.1", "a")]);
    assert_eq!(pods(&read_all("9091", &[v6, v4])), ["10.0.0.1:9091=a", "[fd00::2]:9091=b"]);
}

#[test]
fn a_name_that_is_used_again_is_another_pod() {
    let again = with(endpoint("10.0.0.2", "a"), "targetRef", json!({ "kind": "Pod", "name": "a", "uid": "younger" }));
    let read = read_all("9091", &[slice(&[endpoint("10.0.0.1", "a"), again])]);
    assert_eq!(pods(&read), ["10.0.0.1:9091=a", "10.0.0.2:9091=a"]);
}

#[test]
fn what_is_no_address_is_said_and_the_rest_is_used() {
    let host = json!({ "addresses": ["pod.example.com"] });
    let none = json!({ "addresses": [] });
    let read = read_all("9091", &[slice(&[host, none, endpoint("10.0.0.1", "a")])]);
    assert_eq!(pods(&read), ["10.0.0.1:9091=a"]);
    assert!(read.fault.unwrap().contains("pod.example.com"));
}

#[test]
fn no_slice_at_all_is_a_service_that_is_not_there() {
    let fault = read_all("9091", &[]).fault.unwrap();
    assert!(fault.contains("user-pods") && fault.contains("sample-app"), "{fault}");
    assert_eq!(read_all("9091", &[with(slice(&[]), "endpoints", Value::Null)]), Read { pods: vec![], fault: None });
}
