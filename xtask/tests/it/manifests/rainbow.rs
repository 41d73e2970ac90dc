//! A Deployment for each revision, side by side: which selectors tell them apart, and which do not.

use std::fs;

use serde_json::{Value, json};
use xtask::manifests::{objects, render};

use super::valid::{is_custom, said};
use super::{object, of_kind, overlay, root};
use crate::list;

/// The production overlay with the component and its file, for this Deployment and this traffic; with further components before it.
fn rainbow(revision: &str, traffic: &str, others: &[&str]) -> Vec<Value> {
    let file = fs::read_to_string(root().join("kubernetes/components/rainbow/revision.yaml")).unwrap();
    let file = file.replace("  revision: v1", &format!("  revision: {revision}"));
    let text = rendered(Some(&file.replace("  traffic: v1", &format!("  traffic: {traffic}"))), others).unwrap();
    objects(&text).unwrap()
}

fn rendered(file: Option<&str>, others: &[&str]) -> anyhow::Result<String> {
    let target = root().join("target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(&target)?;
    let components = others.iter().chain(&["rainbow"]);
    let components: String = components.map(|name| format!("  - ../../kubernetes/components/{name}\n")).collect();
    let resource = if file.is_some() { "  - revision.yaml\n" } else { "" };
    let text = format!("resources:\n  - ../../kubernetes/overlays/production\n{resource}components:\n{components}");
    fs::write(folder.path().join("kustomization.yaml"), text)?;
    if let Some(file) = file {
        fs::write(folder.path().join("revision.yaml"), file)?;
    }
    render(folder.path())
}

/// Whether a selector, an object of labels, matches the labels of a pod.
fn selects(selector: &Value, labels: &Value) -> bool {
    selector.as_object().unwrap().iter().all(|(label, value)| labels[label] == *value)
}

fn pod_labels(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["metadata"]["labels"]
}

#[test]
fn each_revision_has_a_deployment_of_its_own_and_traffic_budget_and_scaling_follow_one_of_them() {
    let (old, new) = (rainbow("v1", "v1", &["autoscaling"]), rainbow("v2", "v1", &["autoscaling"]));
    let moved = rainbow("v2", "v2", &["autoscaling"]);
    let v1 = object(&old, "Deployment", "sample-app-user-v1");
    let v2 = object(&new, "Deployment", "sample-app-user-v2");
    for (deployment, revision, other) in [(v1, "v1", v2), (v2, "v2", v1)] {
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        assert_eq!(*selector, json!({ "app": "sample-app", "tier": "user", "revision": revision }));
        assert!(selects(selector, pod_labels(deployment)) && !selects(selector, pod_labels(other)), "{revision}");
        assert_eq!(deployment["metadata"]["labels"]["revision"], revision, "for kubectl delete -l");
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let reported: Vec<_> = list(&container["env"]).iter().filter(|env| env["name"] == "POD_REVISION").collect();
        let field = json!({ "name": "POD_REVISION", "valueFrom": { "fieldRef": { "fieldPath": "metadata.labels['revision']" } } });
        assert_eq!(reported, [&field]);
    }
    for (objects, takes, waits) in [(&new, v1, v2), (&moved, v2, v1)] {
        let service = &object(objects, "Service", "sample-app-user-service")["spec"]["selector"];
        // Of two budgets for one pod the API evicts neither; one for both revisions could be met by the old one alone.
        let budgets: Vec<_> =
            of_kind(objects, "PodDisruptionBudget").map(|it| &it["spec"]["selector"]["matchLabels"]).collect();
        assert!(selects(service, pod_labels(takes)) && !selects(service, pod_labels(waits)));
        assert_eq!(budgets.iter().filter(|budget| selects(budget, pod_labels(takes))).count(), 1);
        assert_eq!(budgets.iter().filter(|budget| selects(budget, pod_labels(waits))).count(), 0);
        let scaled = &object(objects, "HorizontalPodAutoscaler", "sample-app-user")["spec"]["scaleTargetRef"]["name"];
        assert_eq!(*scaled, takes["metadata"]["name"]);
        // Operators see every pod, and every pod is reached by what it needs.
        let pods = &object(objects, "Service", "sample-app-user-pods")["spec"]["selector"];
        let policy = &object(objects, "NetworkPolicy", "user")["spec"]["podSelector"]["matchLabels"];
        for (selector, deployment) in [(pods, takes), (pods, waits), (policy, takes), (policy, waits)] {
            assert!(selects(selector, pod_labels(deployment)), "{selector}");
        }
    }
}

#[test]
fn the_component_is_valid_changes_nothing_else_and_requires_its_file() {
    let objects = rainbow("v2", "v1", &[]);
    let built_in: Vec<_> = objects.iter().filter(|object| !is_custom(object)).cloned().collect();
    let (fine, said) = said(&built_in);
    assert!(fine, "{said}");
    let waits = xtask::waits::read(&objects).unwrap();
    assert_eq!(waits.user.name, "sample-app-user-v2");
    assert_eq!(waits.faults(), Vec::<String>::new());
    let names = |objects: &[Value]| -> Vec<_> {
        objects.iter().map(|object| (object["kind"].to_string(), object["metadata"]["name"].to_string())).collect()
    };
    let mut expected = names(&overlay("production"));
    for (kind, name) in &mut expected {
        if kind == "\"Deployment\"" && name == "\"sample-app-user\"" {
            *name = "\"sample-app-user-v2\"".to_owned();
        }
    }
    assert_eq!(names(&objects), expected, "revision.yaml itself does not reach the cluster");
    let error = format!("{:#}", rendered(None, &[]).unwrap_err());
    assert!(error.contains("rainbow"), "{error}");
}

#[test]
fn users_stay_on_their_revision_and_are_not_handed_over() {
    let objects = rainbow("v1", "v1", &[]);
    let container = &object(&objects, "Deployment", "sample-app-user-v1")["spec"]["template"]["spec"]["containers"][0];
    let handoff: Vec<_> = list(&container["env"]).iter().filter(|env| env["name"] == "HANDOFF").collect();
    assert_eq!(handoff, [&json!({ "name": "HANDOFF", "value": "off" })]);
}
