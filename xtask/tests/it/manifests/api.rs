//! Real `kubectl apply` against the double of the Kubernetes API.

use std::fs;
use std::process::{Command, Output};

use serde_json::json;
use test_support::kubernetes::{KubernetesDouble, Verb};

use super::{all, overlay, root};

/// The budgets, in the order in which they are rendered.
const BUDGETS: [&str; 2] = ["sample-app-maintenance", "sample-app-user-pdb"];

/// Applies a file or a folder; `kubectl` caches an API's discovery in a folder of its own.
async fn apply(api: &KubernetesDouble, what: &str) -> Output {
    let cache = tempfile::tempdir().unwrap();
    let mut command = Command::new("kubectl");
    command.args(["apply", "--validate=strict", "--cache-dir"]).arg(cache.path()).args(["-f", what]);
    command.env("KUBECONFIG", api.kubeconfig()).current_dir(root());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn lines(output: &Output, end: &str) -> usize {
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.ends_with(end)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_applies_the_quick_start() {
    let api = KubernetesDouble::start().await;
    let count = overlay("minikube").len();
    let first = apply(&api, "kubernetes/").await;
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!((lines(&first, " created"), first.stderr.len()), (count, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_during_maintenance_leaves_the_switch_alone() {
    let api = KubernetesDouble::start().await;
    assert!(apply(&api, "kubernetes/").await.status.success());
    let mut map = api.object("configmaps", "sample-app", "app-config").unwrap();
    map["data"] = json!({ "MAINTENANCE_MODE": "true" });
    api.put(&map);
    assert!(apply(&api, "kubernetes/").await.status.success());
    let map = api.object("configmaps", "sample-app", "app-config").unwrap();
    assert_eq!(map["data"], json!({ "MAINTENANCE_MODE": "true" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rendering_is_accepted_and_a_second_apply_changes_nothing() {
    for (name, mut objects) in all() {
        objects.retain(|object| {
            let version = object["apiVersion"].as_str().unwrap();
            !version.starts_with("gateway.") && !version.contains(".coreos.com/")
        });
        let api = KubernetesDouble::start().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("objects.yaml");
        // JSON is YAML.
        let text: Vec<_> = objects.iter().map(ToString::to_string).collect();
        fs::write(&file, text.join("\n---\n")).unwrap();
        let output = apply(&api, file.to_str().unwrap()).await;
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(api.asked(Verb::Create), objects.len() as u64, "{name}");

        let budgets = || BUDGETS.map(|name| api.object("poddisruptionbudgets", "sample-app", name).unwrap());
        let before = budgets();
        let output = apply(&api, file.to_str().unwrap()).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let changed: Vec<_> = said.lines().filter(|line| !line.ends_with(" unchanged")).collect();
        // The type of a budget declares that a patch replaces its selector as a whole, so kubectl sends the selector each
        // time and reports it as configured. The stored object does not change.
        let sent = BUDGETS.map(|name| format!("poddisruptionbudget.policy/{name} configured"));
        assert_eq!(changed, sent, "{name}");
        assert_eq!(budgets(), before, "{name}: not even the revision");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_field_is_refused() {
    let api = KubernetesDouble::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("map.json");
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": "sample-app", "name": "a" },
        "date": { "MAINTENANCE_MODE": "true" },
    });
    fs::write(&file, map.to_string()).unwrap();
    let output = apply(&api, file.to_str().unwrap()).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("unknown field \"date\""), "{said}");
    assert!(api.object("configmaps", "sample-app", "a").is_none());
}
