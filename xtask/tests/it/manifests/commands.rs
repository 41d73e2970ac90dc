//! The commands that README and manual show, run by the real `kubectl` against the double of the Kubernetes API.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use test_support::kubernetes::KubernetesDouble;

use super::updates::min_available;
use super::{of_kind, overlay, with};
use crate::{root, text};

/// Runs a command line literally, with further arguments.
async fn run(api: &KubernetesDouble, line: &str, more: &[&str]) -> Output {
    let cache = tempfile::tempdir().unwrap();
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(more).arg("--cache-dir").arg(cache.path());
    command.env("KUBECONFIG", api.kubeconfig()).current_dir(root());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// The first command of a document with this beginning, up to the end of its code or to its comment.
fn command(document: &str, beginning: &str) -> String {
    let text = text(document);
    let start = text.find(beginning).unwrap_or_else(|| panic!("{document} does not say {beginning}"));
    code(&text[start..])
}

fn code(text: &str) -> String {
    let end = text.find(['\n', '`', '#', '<']).unwrap_or(text.len());
    text[..end].trim().to_owned()
}

/// A Deployment with the controller's status for this many ready pods.
fn with_status(deployment: &Value, ready: i64) -> Value {
    let spec = &deployment["spec"];
    let replicas = spec["replicas"].as_i64().unwrap_or(1);
    let available = if ready >= min_available(spec) { "True" } else { "False" };
    let mut deployment = deployment.clone();
    deployment["status"] = json!({
        "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [
            { "type": "Available", "status": available },
            { "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated" },
        ],
    });
    deployment
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_after_the_quick_start_waits_until_every_pod_is_ready() {
    let check = command("README.md", "kubectl rollout status");
    assert_eq!(check, command("docs/installing.md", "kubectl rollout status"));
    let api = KubernetesDouble::start().await;
    let objects = overlay("minikube");
    for deployment in of_kind(&objects, "Deployment") {
        api.put(&with_status(deployment, deployment["spec"]["replicas"].as_i64().unwrap()));
    }
    let user = super::object(&objects, "Deployment", "sample-app-user");
    for ready in 0..2 {
        api.put(&with_status(user, ready));
        let output = run(&api, &check, &["--timeout=1s"]).await;
        assert!(!output.status.success() && said(&output).contains("timed out"), "{ready} of 2: {}", said(&output));
    }
    api.put(&with_status(user, 2));
    let output = run(&api, &check, &[]).await;
    assert!(output.status.success(), "{}", said(&output));
    for deployment in of_kind(&objects, "Deployment") {
        let name = deployment["metadata"]["name"].as_str().unwrap();
        assert!(said(&output).contains(&format!("{name:?} successfully rolled out")), "{}", said(&output));
    }
}

/// A pod of the user tier whose container runs or is still being created.
fn pod(name: &str, runs: bool) -> Value {
    let state = if runs { json!({ "running": {} }) } else { json!({ "waiting": { "reason": "ContainerCreating" } }) };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": "sample-app", "name": name, "labels": { "app": "sample-app", "tier": "user" } },
        "spec": { "containers": [{ "name": "user-tier" }] },
        "status": {
            "phase": if runs { "Running" } else { "Pending" },
            "containerStatuses": [{
                "name": "user-tier", "image": "", "imageID": "", "ready": runs, "restartCount": 0, "state": state,
            }],
        },
    })
}

/// Three old and three new running pods, and one that is still being created.
async fn updating() -> (KubernetesDouble, Vec<String>) {
    let api = KubernetesDouble::start().await;
    let running: Vec<_> = (0..6).map(|number| format!("sample-app-user-{number}")).collect();
    for name in &running {
        api.put(&pod(name, true));
    }
    api.put(&pod("sample-app-user-6", false));
    (api, running)
}

/// All texts that may contain a command: documents, manifests, sources, templates.
fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["target", "tests"].contains(&name) && !name.starts_with('.') {
            texts(&path, found);
        } else if ["md", "rs", "html", "yaml"].iter().any(|kind| path.extension().is_some_and(|it| it == *kind)) {
            found.push(path);
        }
    }
}

/// The commands that follow the logs of all pods of a tier. The first cell of a row of a table quotes the requirements.
fn commands_that_follow_logs() -> Vec<String> {
    let mut files = Vec::new();
    texts(&root(), &mut files);
    let mut commands = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let ours = line.strip_prefix('|').and_then(|row| row.split_once('|')).map_or(line, |(_, ours)| ours);
            commands.extend(ours.match_indices("kubectl logs").map(|(start, _)| code(&ours[start..])));
        }
    }
    let follows = |command: &String| {
        let words: Vec<_> = command.split_whitespace().collect();
        words.contains(&"-f") && words.contains(&"-l")
    };
    commands.into_iter().filter(follows).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_follows_the_pods_logs_follows_all_of_an_update() {
    let (api, running) = updating().await;
    let mut commands = commands_that_follow_logs();
    commands.sort();
    commands.dedup();
    assert!(!commands.is_empty());
    for command in commands {
        let output = run(&api, &command, &[]).await;
        assert!(output.status.success(), "{command}: {}", said(&output));
        for name in &running {
            let line = format!("[pod/{name}/user-tier] {name} is running");
            assert!(said(&output).contains(&line), "{command}: {}", said(&output));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_double_refuses_the_requirements_log_command_as_a_cluster_does() {
    let (api, _) = updating().await;
    let command = "kubectl logs -n sample-app -l tier=user -f";
    let six = run(&api, command, &[]).await;
    assert!(!six.status.success() && said(&six).contains("maximum allowed concurrency is 5"), "{}", said(&six));
    let starting = run(&api, command, &["--max-log-requests=20"]).await;
    assert!(!starting.status.success() && said(&starting).contains("waiting to start"), "{}", said(&starting));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manuals_command_removes_the_rights_that_maintenance_file_does_not_need() {
    let beginning = "kubectl delete role,rolebinding";
    let delete = command("docs/operating.md", beginning);
    assert_eq!(delete, command("kubernetes/components/maintenance-file/kustomization.yaml", beginning));
    let api = KubernetesDouble::start().await;
    let rights = ["Role", "RoleBinding", "ServiceAccount"];
    for object in with(&[]).iter().filter(|object| rights.iter().any(|kind| object["kind"] == *kind)) {
        api.put(object);
    }
    let output = run(&api, &delete, &[]).await;
    assert!(output.status.success(), "{}", said(&output));
    let component = with(&["maintenance-file"]);
    for (kind, plural) in rights.into_iter().zip(["roles", "rolebindings", "serviceaccounts"]) {
        for name in ["sample-app-user", "sample-app-admin"] {
            let kept = of_kind(&component, kind).any(|object| object["metadata"]["name"] == name);
            assert_eq!(api.object(plural, "sample-app", name).is_some(), kept, "{kind} {name}");
        }
    }
}
