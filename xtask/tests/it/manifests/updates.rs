//! Updates of the Deployments, by the rules of Kubernetes' Deployment controller.

use serde_json::{Value, json};

use super::{all, object, of_kind, overlay};

/// How many pods an update may leave unavailable.
fn max_unavailable(spec: &Value) -> i64 {
    let replicas = spec["replicas"].as_i64().unwrap_or(1);
    if spec["strategy"]["type"] == "Recreate" {
        return 0;
    }
    match &spec["strategy"]["rollingUpdate"]["maxUnavailable"] {
        // The default is 25%; a share is rounded down.
        Value::Null => replicas / 4,
        Value::String(share) => replicas * share.strip_suffix('%').unwrap().parse::<i64>().unwrap() / 100,
        count => count.as_i64().unwrap(),
    }
}

/// How many pods have to be ready for a Deployment to be `Available`.
pub(super) fn min_available(spec: &Value) -> i64 {
    spec["replicas"].as_i64().unwrap_or(1) - max_unavailable(spec)
}

#[test]
fn a_deployment_is_available_only_while_all_its_pods_are_ready() {
    for (name, objects) in all() {
        for deployment in of_kind(&objects, "Deployment") {
            let spec = &deployment["spec"];
            let replicas = spec["replicas"].as_i64().unwrap_or(1);
            assert_eq!(min_available(spec), replicas, "{name}: {}", deployment["metadata"]["name"]);
        }
    }
}

#[test]
fn availability_is_computed_as_by_the_controller() {
    let spec = |replicas: i64, away: Value| json!({ "replicas": replicas, "strategy": { "rollingUpdate": { "maxUnavailable": away } } });
    assert_eq!(min_available(&spec(2, json!("100%"))), 0, "available with no pod at all");
    assert_eq!(min_available(&spec(3, json!("34%"))), 2);
    assert_eq!(min_available(&spec(3, json!(1))), 2);
    assert_eq!(min_available(&spec(4, Value::Null)), 3);
    assert_eq!(min_available(&json!({ "strategy": { "type": "Recreate" } })), 1);
}

#[test]
fn all_new_user_pods_start_before_an_old_one_drains() {
    // Otherwise users of the first old pod move to old pods that drain next.
    for name in ["minikube", "production"] {
        let objects = overlay(name);
        let strategy = &object(&objects, "Deployment", "sample-app-user")["spec"]["strategy"];
        let expected = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "100%", "maxUnavailable": 0 } });
        assert_eq!(*strategy, expected, "{name}");
    }
}
