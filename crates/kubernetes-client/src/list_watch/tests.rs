use k8s_openapi::api::core::v1::ConfigMap;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use test_support::kubernetes::{Fault, KubernetesDouble, Verb};
use tokio::sync::watch;

use super::*;

/// Short limits, so that watches end within a test.
const SHORT: Timing = Timing {
    request_timeout: Duration::from_secs(1),
    healthy_after: Duration::from_millis(300),
    watch_seconds: 1,
    watch_grace: Duration::from_millis(500),
};

/// The last observation, for assertions.
#[derive(Clone, Debug, Default, PartialEq)]
struct Last {
    names: Vec<String>,
    is_stable: bool,
    error: Option<ApiError>,
}

async fn follow(double: &KubernetesDouble, timing: Timing) -> (watch::Receiver<Last>, tokio::task::JoinHandle<()>) {
    let kubeconfig = Kubeconfig::read_from(double.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let api = Api::<ConfigMap>::namespaced(crate::with_config(config).unwrap(), "here");
    let (sender, receiver) = watch::channel(Last::default());
    let following = ListWatch::new(api, ListParams::default(), timing).run(move |observation| {
        sender.send_modify(|last| match observation {
            Observation::Listed(objects) => last.names = objects.keys().cloned().collect(),
            Observation::Watched { objects, is_stable } => {
                *last = Last { names: objects.keys().cloned().collect(), is_stable, error: None };
            }
            Observation::Failed(error) => last.error = Some(error),
        });
    });
    (receiver, tokio::spawn(following))
}

fn put(double: &KubernetesDouble, name: &str) {
    let metadata = json!({ "namespace": "here", "name": name });
    double.put(&json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }));
}

async fn until(observed: &mut watch::Receiver<Last>, is_so: impl Fn(&Last) -> bool) -> Last {
    let waited = timeout(Duration::from_secs(30), observed.wait_for(is_so)).await;
    waited.expect("not observed in time").expect("the follower has ended").clone()
}

#[tokio::test]
async fn watches_that_end_in_order_go_on_without_another_list() {
    let double = KubernetesDouble::start().await;
    put(&double, "one");
    let (mut observed, following) = follow(&double, SHORT).await;
    until(&mut observed, |last| last.is_stable && last.names == ["one"]).await;
    while double.asked(Verb::Watch) < 3 {
        sleep(Duration::from_millis(5)).await;
    }
    put(&double, "two");
    until(&mut observed, |last| last.names == ["one", "two"]).await;
    double.remove("configmaps", "here", "one");
    until(&mut observed, |last| last.names == ["two"]).await;
    assert_eq!(double.asked(Verb::List), 1);
    following.abort();
}

#[tokio::test]
async fn an_expired_revision_is_listed_again_and_is_no_failure() {
    let double = KubernetesDouble::start().await;
    let (mut observed, following) = follow(&double, SHORT).await;
    until(&mut observed, |last| last.is_stable).await;
    double.compact();
    double.expire_watches();
    put(&double, "one");
    let last = until(&mut observed, |last| last.names == ["one"]).await;
    assert_eq!((last.error, double.asked(Verb::List)), (None, 2));
    following.abort();
}

#[tokio::test]
async fn a_change_that_a_hanging_watch_misses_is_observed_by_the_next_one() {
    let double = KubernetesDouble::start().await;
    let (mut observed, following) = follow(&double, SHORT).await;
    until(&mut observed, |last| last.is_stable).await;
    double.fault(Verb::Watch, Fault::Mute);
    put(&double, "one");
    double.heal();
    until(&mut observed, |last| last.names == ["one"]).await;
    following.abort();
}

#[tokio::test]
async fn a_failure_keeps_the_objects_and_recovery_is_observed() {
    let double = KubernetesDouble::start().await;
    put(&double, "one");
    let (mut observed, following) = follow(&double, SHORT).await;
    until(&mut observed, |last| last.is_stable).await;
    double.fault(Verb::List, Fault::Forbidden);
    double.fault(Verb::Watch, Fault::Forbidden);
    double.cut_watches();
    let last = until(&mut observed, |last| last.error.is_some()).await;
    assert!(matches!(last.error, Some(ApiError::Forbidden { code: 403, .. })), "{last:?}");
    assert_eq!(last.names, ["one"]);
    double.heal();
    until(&mut observed, |last| last.is_stable && last.error.is_none()).await;
    following.abort();
}
