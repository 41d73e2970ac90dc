//! Names, ports and labels are those of the contract.

use serde_json::{Value, json};

use super::{all, list, object, of_kind, overlay, root, with};

/// The labels of all selectors.
fn labels(tier: &str) -> Value {
    json!({ "app": "sample-app", "tier": tier })
}

#[test]
fn every_object_is_in_the_one_namespace() {
    for (name, objects) in all() {
        for object in objects.iter().filter(|object| object["kind"] != "Namespace") {
            assert_eq!(object["metadata"]["namespace"], "sample-app", "{name}: {}", object["metadata"]["name"]);
        }
    }
}

#[test]
fn services_have_their_ports_and_reach_their_pods() {
    let services = [
        ("sample-app-user-service", "user", &[80, 9090][..], 9090),
        ("sample-app-admin-service", "admin", &[80, 9092], 9092),
        ("sample-app-user-pods", "user", &[9091], 9091),
        ("sample-app-maintenance-service", "maintenance", &[80], 9090),
    ];
    for (name, objects) in all() {
        for (service, tier, ports, target) in services {
            let found = &object(&objects, "Service", service)["spec"];
            assert_eq!(found["selector"], labels(tier), "{name}");
            let given: Vec<_> = list(&found["ports"]).iter().map(|port| port["port"].as_i64().unwrap()).collect();
            assert_eq!(given, ports, "{name}: {service}");
            let deployment = object(&objects, "Deployment", &format!("sample-app-{tier}"));
            let container = &deployment["spec"]["template"]["spec"]["containers"][0];
            for port in list(&found["ports"]) {
                let reached = list(&container["ports"]).iter().find(|given| given["name"] == port["targetPort"]);
                assert_eq!(reached.unwrap()["containerPort"], target, "{name}: {service}");
            }
        }
    }
}

#[test]
fn the_headless_service_lists_draining_pods() {
    let objects = overlay("production");
    let service = &object(&objects, "Service", "sample-app-user-pods")["spec"];
    assert_eq!((&service["clusterIP"], &service["publishNotReadyAddresses"]), (&json!("None"), &json!(true)));
}

#[test]
fn deployments_select_their_pods_by_app_and_tier_only() {
    for (name, objects) in all() {
        for deployment in of_kind(&objects, "Deployment") {
            let tier = deployment["metadata"]["labels"]["tier"].as_str().unwrap();
            let spec = &deployment["spec"];
            assert_eq!(deployment["metadata"]["name"], format!("sample-app-{tier}"), "{name}");
            assert_eq!(spec["selector"]["matchLabels"], labels(tier), "{name}");
            let labels = &spec["template"]["metadata"]["labels"];
            assert_eq!((&labels["app"], &labels["tier"]), (&json!("sample-app"), &json!(tier)), "{name}");
            for recommended in ["name", "component", "part-of"] {
                assert!(labels[format!("app.kubernetes.io/{recommended}")].is_string(), "{name}: {tier} {recommended}");
            }
        }
    }
}

#[test]
fn one_pod_stays_and_unready_ones_may_always_be_evicted() {
    for (name, objects) in all() {
        let budget = &object(&objects, "PodDisruptionBudget", "sample-app-user-pdb")["spec"];
        let expected = json!({
            "minAvailable": 1, "selector": { "matchLabels": labels("user") }, "unhealthyPodEvictionPolicy": "AlwaysAllow",
        });
        assert_eq!(*budget, expected, "{name}");
        let replicas = object(&objects, "Deployment", "sample-app-user")["spec"]["replicas"].as_i64();
        assert!(replicas.is_none_or(|replicas| replicas > 1), "{name}: a budget of one would hold back every eviction");
    }
}

#[test]
fn the_switch_is_not_applied() {
    for (name, objects) in all() {
        assert!(object(&objects, "ConfigMap", "app-config")["data"].is_null(), "{name}");
    }
}

#[test]
fn images_have_a_version_in_every_overlay_and_the_workspaces_in_the_quick_start() {
    let version = env!("CARGO_PKG_VERSION");
    for (name, objects) in all() {
        for deployment in of_kind(&objects, "Deployment") {
            let container = &deployment["spec"]["template"]["spec"]["containers"][0];
            assert_eq!(container["imagePullPolicy"], "IfNotPresent");
            let image = container["image"].as_str().unwrap();
            let (image, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag"));
            if name == "minikube" && image.starts_with("sample-app") {
                assert_eq!(tag, version, "{image}: say newTag: {version} in overlays/minikube");
            }
        }
    }
    let base = std::fs::read_to_string(root().join("kubernetes/base/user/deployment.yaml")).unwrap();
    assert!(base.contains("image: sample-app-user\n"), "the overlays say the version");
}

#[test]
fn the_admin_tier_never_runs_twice() {
    let objects = overlay("production");
    let spec = &object(&objects, "Deployment", "sample-app-admin")["spec"];
    assert_eq!((&spec["replicas"], &spec["strategy"]), (&json!(1), &json!({ "type": "Recreate" })));
}

#[test]
fn scraped_pods_and_services_have_the_labels_and_ports_that_the_monitors_select() {
    let objects = with(&["monitoring"]);
    let service = object(&objects, "Service", "sample-app-admin-service");
    let monitor = &object(&objects, "ServiceMonitor", "sample-app-admin")["spec"];
    let labels = &service["metadata"]["labels"];
    for (name, value) in monitor["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(labels[name], *value);
    }
    let ports = list(&service["spec"]["ports"]);
    assert!(ports.iter().any(|port| port["name"] == monitor["endpoints"][0]["port"]), "{ports:?}");

    let monitor = &object(&objects, "PodMonitor", "sample-app-user")["spec"];
    let template = &object(&objects, "Deployment", "sample-app-user")["spec"]["template"];
    for (name, value) in monitor["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(template["metadata"]["labels"][name], *value);
    }
    let ports = list(&template["spec"]["containers"][0]["ports"]);
    assert!(ports.iter().any(|port| port["name"] == monitor["podMetricsEndpoints"][0]["port"]), "{ports:?}");
}
