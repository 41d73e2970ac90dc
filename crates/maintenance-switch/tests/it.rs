//! How a process finds the Kubernetes API. It depends on environment and file system, so that each test starts a process.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

use std::process::Command;
use std::time::Duration;

use kubernetes_client::connect;
use maintenance_switch::{Switch, SwitchHealth, SwitchState, SwitchStatus};
use serde_json::json;
use test_support::kubernetes::{InCluster, KubernetesDouble, Options, Verb};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The variable that makes this binary the process under test.
const ROLE: &str = "THE_PROCESS";

/// In the process: follows the switch until it is on, turns it off, and succeeds when it reads that.
#[tokio::test]
async fn follows_and_sets() {
    if std::env::var_os(ROLE).is_none() {
        // In the test: without any configuration the process fails.
        let ended = run(Command::new(std::env::current_exe().unwrap())).await;
        assert!(ended.contains("set KUBECONFIG, or run in a pod"), "{ended}");
        return;
    }
    let client = connect().await.unwrap_or_else(|error| panic!("{error}"));
    let switch = Switch::ConfigMap { name: "sample-app/app-config".parse().unwrap(), client };
    let (sender, mut statuses) = watch::channel(SwitchStatus::unknown(SwitchState::Off));
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let (switch, stop) = (switch.clone(), stop.clone());
        async move { switch.follow(sender, stop).await }
    });
    for state in [SwitchState::On, SwitchState::Off] {
        let expected = SwitchStatus { state, health: SwitchHealth::Healthy };
        let published = statuses.wait_for(|status| *status == expected);
        tokio::time::timeout(Duration::from_secs(30), published).await.unwrap().unwrap();
        switch.set(SwitchState::Off).await.unwrap();
    }
    stop.cancel();
    following.await.unwrap();
}

/// Runs the process with the variables of the command only. Returns its output if it fails.
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
async fn the_api_is_found_by_a_kubeconfig() {
    let api = double().await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("KUBECONFIG", api.kubeconfig());
    assert_eq!(run(command).await, "");
    assert_eq!(api.asked(Verb::Patch), 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_api_is_found_by_the_files_of_the_service_account() {
    let api = double().await;
    let pod = api.in_cluster("sample-app");
    let mut command = Command::new(InCluster::BINARY);
    command.args(pod.arguments(std::env::current_exe().unwrap(), &[])).envs(pod.environment());
    assert_eq!(run(command).await, "");
    assert_eq!(api.asked(Verb::Patch), 1);
}
