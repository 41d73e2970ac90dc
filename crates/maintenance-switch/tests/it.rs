//! How a process finds the Kubernetes API: it depends on its environment and its file system, so it is one of its own.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

use std::process::Command;
use std::time::Duration;

use maintenance_switch::{Position, Report, Switch, SwitchHealth, connect};
use serde_json::json;
use test_support::kubernetes::{InCluster, KubernetesDouble, Options, Verb};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Says to this binary that it is the process, not the test.
const ROLE: &str = "THE_PROCESS";

/// The process: follows the switch until it is on, then turns it off, and exits well if it hears of that.
#[tokio::test]
async fn follows_and_sets() {
    if std::env::var_os(ROLE).is_none() {
        // As the test, it is that of the missing configuration.
        let ended = run(Command::new(std::env::current_exe().unwrap())).await;
        assert!(ended.contains("set KUBECONFIG, or run in a pod"), "{ended}");
        return;
    }
    let client = connect().await.unwrap_or_else(|error| panic!("{error}"));
    let switch = Switch::ConfigMap { name: "sample-app/app-config".parse().unwrap(), client };
    let (sender, mut reports) = watch::channel(Report::unheard(Position::Off));
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let (switch, stop) = (switch.clone(), stop.clone());
        async move { switch.follow(sender, stop).await }
    });
    for position in [Position::On, Position::Off] {
        let expected = Report { position, standing: SwitchHealth::Sound };
        let told = reports.wait_for(|report| *report == expected);
        tokio::time::timeout(Duration::from_secs(30), told).await.unwrap().unwrap();
        switch.set(Position::Off).await.unwrap();
    }
    stop.cancel();
    following.await.unwrap();
}

/// Runs the process, with nothing in its environment but what was given; what it said, if it failed.
async fn run(mut command: Command) -> String {
    command.args(["--exact", "follows_and_sets"]).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env(ROLE, "yes").env("HOME", "/nowhere");
    for variable in ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBECONFIG"] {
        if !command.get_envs().any(|(name, _)| name == variable) {
            command.env_remove(variable);
        }
    }
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    if ended.status.success() { String::new() } else { String::from_utf8_lossy(&ended.stdout).into_owned() }
}

async fn double() -> KubernetesDouble {
    let options = Options { token: Some("s3cret".to_owned()), tls: true, ..Options::default() };
    let api = KubernetesDouble::with(options).await;
    let metadata = json!({ "namespace": "sample-app", "name": "app-config" });
    let data = json!({ "MAINTENANCE_MODE": "True" });
    api.put(&json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data }));
    api
}

#[tokio::test]
async fn a_kubeconfig_tells_the_way() {
    let api = double().await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("KUBECONFIG", api.kubeconfig());
    assert_eq!(run(command).await, "");
    assert_eq!(api.asked(Verb::Patch), 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_pod_finds_the_way_by_the_files_of_its_account() {
    let api = double().await;
    let pod = api.in_cluster("sample-app");
    let mut command = Command::new(InCluster::BINARY);
    command.args(pod.arguments(std::env::current_exe().unwrap(), &[])).envs(pod.environment());
    assert_eq!(run(command).await, "");
    assert_eq!(api.asked(Verb::Patch), 1);
}
