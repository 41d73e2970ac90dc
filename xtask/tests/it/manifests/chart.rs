//! The Helm chart, rendered and linted by Helm's own SDK, against what kustomize renders.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use xtask::manifests::{chart, check_chart, objects, render};
use xtask::waits::{read, sidecars};

use super::valid::said;
use super::{object, of_kind, overlay, root};

/// What Helm says about the chart with these values in this namespace.
fn helm(values: &Value, namespace: &str) -> Value {
    let installed = root().join("target/tools/bin/python");
    let python = if installed.is_file() { installed.into_os_string() } else { "python3".into() };
    let mut helm = Command::new(python);
    helm.arg(root().join("xtask/tests/it/manifests/chart.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut helm = helm.spawn().unwrap();
    let request = json!({ "chart": root().join("kubernetes/chart"), "values": values, "namespace": namespace });
    helm.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = helm.wait_with_output().unwrap();
    assert!(output.status.success(), "pip install helm-python-sdk");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The objects of the chart, in an order of their own.
fn rendered(values: &Value, namespace: &str) -> Vec<Value> {
    let answer = helm(values, namespace);
    let templates = answer["rendered"].as_object().unwrap_or_else(|| panic!("{answer}"));
    let manifests = templates.iter().filter(|(name, _)| name.ends_with(".yaml"));
    let found = manifests.flat_map(|(_, text)| objects(text.as_str().unwrap()).unwrap()).filter(Value::is_object);
    sorted(found.collect())
}

/// By kind and name, with variables by their names: Helm's templates put those that they set last.
fn sorted(mut objects: Vec<Value>) -> Vec<Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for deployment in objects.iter_mut().filter(|object| object["kind"] == "Deployment") {
        let pod = deployment["spec"]["template"]["spec"].as_object_mut().unwrap();
        for kind in ["containers", "initContainers"] {
            for container in pod.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(variables) = container.get_mut("env").and_then(Value::as_array_mut) {
                    variables.sort_by_key(|variable| text(&variable["name"]));
                }
            }
        }
    }
    objects.sort_by_key(|object| (text(&object["kind"]), text(&object["metadata"]["name"])));
    objects
}

/// The values with which the chart renders the example.
fn example() -> Value {
    let overlay = objects(&render(&root().join("kubernetes/examples/any-app")).unwrap()).unwrap();
    let app = &object(&overlay, "Deployment", "any-app")["spec"]["template"]["spec"]["containers"][0];
    let mut container = app.clone();
    for given in ["name", "lifecycle"] {
        container.as_object_mut().unwrap().remove(given);
    }
    json!({ "mode": "sidecar", "replicas": 2, "app": { "container": container } })
}

#[test]
fn the_charts_objects_are_those_of_the_overlays() {
    check_chart(&root(), &chart(&root()).unwrap()).unwrap();
    let without_namespace = |mut objects: Vec<Value>| {
        objects.retain(|object| object["kind"] != "Namespace");
        sorted(objects)
    };
    let production = overlay("production");
    let image = |tier: &str| {
        let deployment = object(&production, "Deployment", &format!("sample-app-{tier}"));
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    let images = json!({ "user": image("user"), "admin": image("admin") });
    assert_eq!(rendered(&json!({ "images": images }), "sample-app"), without_namespace(production));
    let any_app = objects(&render(&root().join("kubernetes/examples/any-app")).unwrap()).unwrap();
    let mut values = example();
    values["images"] = images;
    assert_eq!(rendered(&values, "any-app"), without_namespace(any_app));
}

#[test]
fn helm_lints_every_mode_and_its_objects_are_valid_and_their_waits_fit() {
    let drain = json!({ "timeoutSeconds": 120, "taskGraceSeconds": 30, "propagationSeconds": 20, "appStopSeconds": 7 });
    let mut sidecar = example();
    sidecar["drain"] = drain.clone();
    sidecar["app"]["name"] = "shop".into();
    let standalone = json!({ "mode": "standalone", "upstream": { "url": "http://web.shop:80" }, "drain": drain });
    for values in [sidecar, standalone, json!({ "drain": drain, "env": { "MAX_SESSIONS": "77" } })] {
        let answer = helm(&values, "shop");
        assert_eq!(answer["lint"]["errors"], json!([]), "{answer}");
        let severe = answer["lint"]["messages"].as_array().unwrap().iter().any(|it| it["severity"].as_u64() > Some(1));
        assert!(!severe, "{}", answer["lint"]);
        let objects = rendered(&values, "shop");
        let (fine, said) = said(&objects);
        assert!(fine, "{said}");
        let text = serde_json::to_string(&objects).unwrap();
        assert!(!text.contains("any-app") && !text.contains("sample-app/"), "names of the example are left");
        assert!(objects.iter().all(|object| object["metadata"]["namespace"] == "shop"));
        if values["mode"] == "sidecar" {
            let waits = sidecars(&objects).unwrap();
            assert_eq!((waits[0].faults(), waits[0].grace.as_secs()), (Vec::new(), 182));
            assert_eq!(object(&objects, "Service", "shop")["spec"]["ports"][0]["targetPort"], 9090);
        } else {
            let waits = read(&objects).unwrap();
            assert_eq!((waits.faults(), waits.user.grace.as_secs()), (Vec::new(), 175));
        }
    }
}

#[test]
fn lastcall_by_itself_knows_its_app_and_is_probed_beside_it() {
    let values = json!({ "mode": "standalone", "upstream": { "url": "http://web.shop:80" } });
    let objects = rendered(&values, "shop");
    let container = &object(&objects, "Deployment", "sample-app-user")["spec"]["template"]["spec"]["containers"][0];
    let variable = |name: &str| {
        let variables = container["env"].as_array().unwrap();
        variables.iter().find(|variable| variable["name"] == name).map(|variable| variable["value"].clone())
    };
    assert_eq!(variable("UPSTREAM_URL"), Some("http://web.shop:80".into()));
    assert_eq!(variable("PROBE_ADDR"), Some("0.0.0.0:9093".into()));
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], "probe");
    }
    assert_eq!(of_kind(&objects, "NetworkPolicy").filter(|it| it["metadata"]["name"] == "to-upstream").count(), 1);
    let open = json!({ "mode": "standalone", "upstream": { "url": "http://web.shop:80" }, "networkPolicy": { "enabled": false } });
    assert_eq!(of_kind(&rendered(&open, "shop"), "NetworkPolicy").count(), 0);
}

#[test]
fn values_that_cannot_work_are_refused_by_name() {
    for (values, complaint) in [
        (json!({ "mode": "sidecar" }), "missing property 'image'"),
        (json!({ "mode": "standalone" }), "/upstream/url"),
        (json!({ "mode": "operator" }), "/mode"),
        (json!({ "replica": 2 }), "replica"),
        (json!({ "drain": { "timeoutSeconds": "60s" } }), "/drain/timeoutSeconds"),
        (json!({ "drain": { "propagationSeconds": 7 } }), "/drain/propagationSeconds"),
        (json!({ "env": { "DRAIN_TIMEOUT": "90s" } }), "DRAIN_TIMEOUT"),
        (
            json!({ "mode": "sidecar", "app": { "upstreamUrl": "http://web:80", "container": { "image": "x" } } }),
            "/app/upstreamUrl",
        ),
        (json!({ "mode": "sidecar", "app": { "container": { "image": "x", "lifecycle": {} } } }), "lifecycle"),
    ] {
        let answer = helm(&values, "shop");
        let refused = answer["refused"].as_str().unwrap_or_else(|| panic!("{values} is rendered"));
        assert!(refused.contains(complaint), "{values}: {refused}");
    }
}

#[test]
fn the_chart_has_the_version_of_the_images() {
    let chart = crate::read("kubernetes/chart/Chart.yaml");
    for version in [&chart["version"], &chart["appVersion"]] {
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "renew kubernetes/chart/Chart.yaml");
    }
    for (name, image) in crate::read("kubernetes/chart/values.yaml")["images"].as_object().unwrap() {
        let tag = image.as_str().unwrap().rsplit(':').next().unwrap();
        assert_eq!(tag, env!("CARGO_PKG_VERSION"), "renew images.{name} in kubernetes/chart/values.yaml");
    }
}
