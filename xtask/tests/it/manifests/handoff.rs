//! Where pods hand their sessions over: only where another pod can take them.

use serde_json::{Value, json};

use super::updates::min_available;
use super::{all, list, object, of_kind, overlay, with};

fn user_pods(objects: &[Value]) -> &Value {
    &object(objects, "Deployment", "sample-app-user")["spec"]
}

/// The value of a variable of the user tier, or of the one that names its file.
fn option<'a>(objects: &'a [Value], name: &str) -> Option<&'a str> {
    let containers = list(&user_pods(objects)["template"]["spec"]["containers"]);
    let container = containers.iter().find(|container| container["name"] == "user-tier").unwrap();
    let file = format!("{name}_FILE");
    let found = list(&container["env"]).iter().find(|it| it["name"] == name || it["name"] == file.as_str());
    found.and_then(|it| it["value"].as_str())
}

/// The smallest number of pods: that of the autoscaler, where one sets it.
fn fewest_pods(objects: &[Value]) -> i64 {
    let scalers = of_kind(objects, "HorizontalPodAutoscaler").map(|it| &it["spec"]);
    let of_users = scalers.filter(|it| it["scaleTargetRef"]["name"] == "sample-app-user").map(|it| &it["minReplicas"]);
    let scaled = of_users.map(|least| least.as_i64().unwrap_or(1)).min();
    scaled.unwrap_or_else(|| user_pods(objects)["replicas"].as_i64().unwrap_or(1))
}

/// Why these objects must not hand sessions over.
fn faults(objects: &[Value]) -> Vec<&'static str> {
    let spec = user_pods(objects);
    let budgets = of_kind(objects, "PodDisruptionBudget").map(|it| &it["spec"]);
    let labels = spec["template"]["metadata"]["labels"].as_object().unwrap();
    let selects = |budget: &&Value| {
        budget["selector"]["matchLabels"]
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, value)| labels.get(name) == Some(value))
    };
    let keeps_one = |budget: &Value| budget["minAvailable"].as_i64().is_some_and(|least| least >= 1);
    let replicas = fewest_pods(objects);
    let at_once = json!({ "replicas": replicas, "strategy": spec["strategy"] });
    [
        (option(objects, "REDIS_URL").is_none(), "no store"),
        (option(objects, "SESSION_KEY").is_none(), "no key that the pods share"),
        (option(objects, "FORCED_END") == Some("delete"), "sessions end at the deadline"),
        (replicas < 2, "no other pod"),
        (min_available(&at_once) < 1, "an update removes all pods at once"),
        (!budgets.filter(selects).any(keeps_one), "node drains evict all pods at once"),
    ]
    .into_iter()
    .filter_map(|(is_there, fault)| is_there.then_some(fault))
    .collect()
}

#[test]
fn sessions_are_handed_over_only_where_another_pod_can_take_them() {
    for (name, objects) in all() {
        match option(&objects, "HANDOFF") {
            Some("on") => assert_eq!(faults(&objects), [""; 0], "{name}"),
            off => assert!(off.is_none_or(|off| off == "off") && name == "minikube", "{name}: {off:?}"),
        }
    }
}

#[test]
fn a_deployment_that_must_not_hand_sessions_over_is_found() {
    let mut objects = with(&["autoscaling"]);
    let find = |objects: &mut [Value], kind: &str| {
        let index = objects.iter().position(|it| {
            it["kind"] == kind && it["metadata"]["name"].as_str().unwrap().starts_with("sample-app-user")
        });
        index.unwrap()
    };
    let (deployment, scaler, budget) = (
        find(&mut objects, "Deployment"),
        find(&mut objects, "HorizontalPodAutoscaler"),
        find(&mut objects, "PodDisruptionBudget"),
    );
    objects[scaler]["spec"]["minReplicas"] = 1.into();
    assert_eq!(faults(&objects), ["no other pod"]);
    objects[scaler]["spec"]["minReplicas"] = 2.into();
    objects[deployment]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] = "100%".into();
    objects[budget]["spec"]["minAvailable"] = 0.into();
    let container = &mut objects[deployment]["spec"]["template"]["spec"]["containers"][0]["env"];
    container
        .as_array_mut()
        .unwrap()
        .retain(|it| !["REDIS_URL_FILE", "SESSION_KEY_FILE"].contains(&it["name"].as_str().unwrap()));
    let expected = [
        "no store",
        "no key that the pods share",
        "an update removes all pods at once",
        "node drains evict all pods at once",
    ];
    assert_eq!(faults(&objects), expected);
}

#[test]
fn a_handoff_begins_after_the_endpoints_have_changed_and_well_before_the_pod_leaves() {
    let objects = overlay("production");
    let seconds = |name| option(&objects, name).unwrap().strip_suffix('s').unwrap().parse::<u64>().unwrap();
    let [delay, drain, propagation] = ["HANDOFF_DELAY", "DRAIN_TIMEOUT", "PROPAGATION_WAIT"].map(seconds);
    // Endpoints change within a second; Ingress controllers reload within a few.
    assert!((3..=propagation).contains(&delay) && drain == 60, "{delay} s, {drain} s, {propagation} s");
}
