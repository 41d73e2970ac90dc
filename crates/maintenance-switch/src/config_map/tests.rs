//! A ConfigMap of a double of the Kubernetes API, followed and set.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use test_support::kubernetes::{Fault, KubernetesDouble, Options, Verb};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::testing::{Log, wait_for, wait_until_healthy};
use crate::{SetError, Switch, SwitchHealth, SwitchStatus};

/// About a tenth of the default limits.
const SHORT: Timing = Timing {
    request_timeout: Duration::from_secs(1),
    healthy_after: Duration::from_millis(500),
    watch_seconds: 2,
    watch_grace: Duration::from_millis(500),
};

/// How long a fault lasts in these tests: several attempts.
const FAULT_DURATION: Duration = Duration::from_secs(4);

mod faults;
mod follow;
mod set;

struct Cluster {
    api: KubernetesDouble,
    client: Client,
    statuses: watch::Receiver<SwitchStatus>,
    following: JoinHandle<()>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn name() -> ConfigMapName {
    "sample-app/app-config".parse().unwrap()
}

fn map(data: &Value) -> Value {
    let metadata = json!({ "namespace": "sample-app", "name": "app-config" });
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data })
}

async fn client_of(api: &KubernetesDouble) -> Client {
    let kubeconfig = Kubeconfig::read_from(api.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    kubernetes_client::with_config(config).unwrap()
}

async fn follow_on(api: KubernetesDouble, initial: SwitchState, timing: Timing) -> Cluster {
    let client = client_of(&api).await;
    let (sender, statuses) = watch::channel(SwitchStatus::unknown(initial));
    let publisher = StatusPublisher::new("the ConfigMap".to_owned(), sender);
    let following = tokio::spawn({
        let client = client.clone();
        async move { follow(client, &name(), publisher, timing).await }
    });
    Cluster { api, client, statuses, following }
}

/// A cluster whose switch has this state, and is watched.
async fn cluster(state: SwitchState, timing: Timing) -> Cluster {
    let api = KubernetesDouble::start().await;
    let mut cluster = follow_on(api, SwitchState::Off, timing).await;
    cluster.turn(state);
    wait_until_healthy(&mut cluster.statuses, state).await;
    cluster.wait_until_watched().await;
    cluster
}

impl Cluster {
    /// Sets the switch as `kubectl patch` does.
    fn turn(&self, state: SwitchState) {
        self.api.put(&map(&json!({ KEY: state.to_string(), "OTHER": "maybe" })));
    }

    async fn wait_until_watched(&self) {
        let watching = async {
            while self.api.watching() == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), watching).await.expect("no watch was opened");
    }

    /// Waits until the switch fails with an error that contains these words.
    async fn failing(&mut self, words: &str) -> SwitchStatus {
        let failing = |status: &SwitchStatus| matches!(&status.health, SwitchHealth::Failing(error) if error.to_string().contains(words));
        wait_for(&mut self.statuses, words, failing).await.0
    }

    fn switch(&self) -> Switch {
        Switch::ConfigMap { name: name(), client: self.client.clone() }
    }
}
