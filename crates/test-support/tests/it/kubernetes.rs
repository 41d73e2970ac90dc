//! The double as kube's client sees it: like a real API server.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, Error, ResourceExt as _};
use serde_json::json;
#[cfg(target_os = "linux")]
use test_support::kubernetes::InCluster;
use test_support::kubernetes::{Fault, KubernetesDouble, Options, Verb};

async fn client(api: &KubernetesDouble) -> Client {
    let kubeconfig = Kubeconfig::read_from(api.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

fn map(name: &str, value: &str) -> ConfigMap {
    let metadata = ObjectMeta {
        namespace: Some("here".to_owned()),
        name: Some(name.to_owned()),
        labels: Some(BTreeMap::from([("value".to_owned(), value.to_owned())])),
        ..ObjectMeta::default()
    };
    ConfigMap { metadata, data: Some(BTreeMap::from([("key".to_owned(), value.to_owned())])), ..ConfigMap::default() }
}

fn code<T>(result: Result<T, Error>) -> u16 {
    match result {
        Err(Error::Api(status)) => status.code,
        Err(other) => panic!("no status: {other}"),
        Ok(_) => panic!("no error"),
    }
}

/// Waits for the next item, which must come.
async fn next<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("no item came").expect("the stream ended")
}

#[tokio::test]
async fn objects_are_created_changed_and_removed_as_by_an_api_server() {
    let double = KubernetesDouble::start().await;
    let api = Api::<ConfigMap>::namespaced(client(&double).await, "here");
    assert_eq!(code(api.get("one").await), 404);
    let made = api.create(&PostParams::default(), &map("one", "1")).await.unwrap();
    assert_eq!(code(api.create(&PostParams::default(), &map("one", "1")).await), 409);

    let merge = |change| Patch::Merge(change);
    let patched = api.patch("one", &PatchParams::default(), &merge(json!({ "data": { "more": "x" } }))).await.unwrap();
    assert_eq!(patched.data.as_ref().unwrap().len(), 2);
    assert!(patched.resource_version() > made.resource_version() && patched.uid() == made.uid());
    let stale = json!({ "metadata": { "resourceVersion": made.resource_version() }, "data": { "more": "y" } });
    assert_eq!(code(api.patch("one", &PatchParams::default(), &merge(stale)).await), 409);
    assert_eq!(code(api.replace("one", &PostParams::default(), &made).await), 409);
    let same = api.patch("one", &PatchParams::default(), &merge(json!({ "data": { "more": "x" } }))).await.unwrap();
    assert_eq!(same.resource_version(), patched.resource_version(), "a patch that changes nothing keeps the revision");
    assert_eq!(code(api.patch("one", &PatchParams::default(), &merge(json!({ "data": { "more": 1 } }))).await), 400);

    let replaced = api.replace("one", &PostParams::default(), &map("one", "2")).await.unwrap();
    assert_eq!(replaced.data.as_ref().unwrap()["key"], "2");
    assert_eq!(double.object("configmaps", "here", "one").unwrap()["data"]["key"], "2");
    api.delete("one", &DeleteParams::default()).await.unwrap();
    assert_eq!(code(api.delete("one", &DeleteParams::default()).await), 404);
    assert_eq!((double.asked(Verb::Patch), double.asked_of(Verb::Delete, "endpointslices")), (4, 0));
}

#[tokio::test]
async fn lists_are_selected_and_paged_at_one_revision() {
    let double = KubernetesDouble::start().await;
    for number in 0..5 {
        double.put(&map(&format!("map-{number}"), if number < 3 { "low" } else { "high" }));
    }
    let client = client(&double).await;
    let api = Api::<ConfigMap>::namespaced(client.clone(), "here");
    let names = async |params: ListParams| -> Vec<String> {
        api.list(&params).await.unwrap().items.iter().map(|object| object.name_any()).collect()
    };
    assert_eq!(names(ListParams::default().fields("metadata.name=map-3")).await, ["map-3"]);
    assert_eq!(names(ListParams::default().labels("value in (high)")).await, ["map-3", "map-4"]);
    assert!(
        Api::<ConfigMap>::namespaced(client.clone(), "there")
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert_eq!(Api::<ConfigMap>::all(client.clone()).list(&ListParams::default()).await.unwrap().items.len(), 5);
    assert!(Api::<EndpointSlice>::all(client).list(&ListParams::default()).await.unwrap().items.is_empty());

    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(3));
    double.put(&map("map-9", "late"));
    let token = first.metadata.continue_.unwrap();
    let rest = api.list(&ListParams::default().continue_token(&token)).await.unwrap();
    assert_eq!(rest.items.len(), 3);
    assert_eq!(rest.metadata.resource_version, first.metadata.resource_version);
    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    double.compact();
    let token = first.metadata.continue_.unwrap();
    assert_eq!(code(api.list(&ListParams::default().continue_token(&token)).await), 410);
}

#[tokio::test]
async fn a_watch_sends_every_change_of_its_selection_and_bookmarks_and_ends_at_its_timeout() {
    let options = Options { bookmarks: Duration::from_millis(50), ..Options::default() };
    let double = KubernetesDouble::with(options).await;
    let begin = double.put(&map("one", "1")).to_string();
    let api = Api::<ConfigMap>::namespaced(client(&double).await, "here");
    let params = WatchParams::default().labels("value=2").timeout(2);
    let mut events = pin!(api.watch(&params, &begin).await.unwrap());
    double.put(&map("other", "1"));
    double.put(&map("one", "2"));
    assert!(matches!(event(&mut events).await, WatchEvent::Added(object) if object.name_any() == "one"));
    let revision = double.put(&map("one", "3")).to_string();
    let WatchEvent::Deleted(left) = event(&mut events).await else { panic!("it left the selection") };
    assert_eq!((left.data.as_ref().unwrap()["key"].as_str(), left.resource_version()), ("2", Some(revision.clone())));
    let mut bookmarks = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        assert!(matches!(event, WatchEvent::Bookmark(bookmark) if bookmark.metadata.resource_version == revision));
        bookmarks += 1;
    }
    assert!(bookmarks > 1);

    // From revision 0: all objects first.
    let mut events = pin!(api.watch(&WatchParams::default().timeout(30), "0").await.unwrap());
    for name in ["one", "other"] {
        assert!(matches!(event(&mut events).await, WatchEvent::Added(object) if object.name_any() == name));
    }
    double.remove("configmaps", "here", "one");
    assert!(matches!(event(&mut events).await, WatchEvent::Deleted(object) if object.name_any() == "one"));
    double.compact();
    let mut events = pin!(api.watch(&WatchParams::default(), &begin).await.unwrap());
    assert!(matches!(next(&mut events).await.unwrap(), WatchEvent::Error(status) if status.code == 410));
}

/// Waits for the next event other than a bookmark.
async fn event<K>(events: &mut (impl Stream<Item = Result<WatchEvent<K>, Error>> + Unpin)) -> WatchEvent<K> {
    loop {
        match next(events).await.unwrap() {
            WatchEvent::Bookmark(_) => {}
            event => return event,
        }
    }
}

#[tokio::test]
async fn faults_fail_requests_until_they_are_switched_off() {
    let mut double = KubernetesDouble::start().await;
    double.put(&map("one", "1"));
    let api = Api::<ConfigMap>::namespaced(client(&double).await, "here");
    for (fault, expected) in [(Fault::Forbidden, 403), (Fault::Broken, 500), (Fault::Conflict, 409), (Fault::Gone, 410)]
    {
        double.fault(Verb::Get, fault);
        assert_eq!(code(api.get("one").await), expected);
    }
    double.fault_all(Fault::Silent);
    assert!(tokio::time::timeout(Duration::from_millis(200), api.get("one")).await.is_err());
    double.heal();
    api.get("one").await.unwrap();

    let mut events = pin!(api.watch(&WatchParams::default().timeout(1), "0").await.unwrap());
    assert!(matches!(event(&mut events).await, WatchEvent::Added(_)));
    double.fault(Verb::Watch, Fault::Mute);
    double.heal();
    double.put(&map("one", "2"));
    assert!(tokio::time::timeout(Duration::from_secs(2), events.next()).await.is_err(), "it is muted for good");
    assert_eq!(double.watching(), 1);

    double.reject_connections(true);
    let before = double.connections();
    assert!(matches!(api.get("one").await, Err(Error::Service(_) | Error::HyperError(_))));
    assert!(double.connections() > before);
    double.heal();
    double.stop().await;
    assert!(matches!(api.get("one").await, Err(Error::Service(_) | Error::HyperError(_))));
    double.start_again().await;
    assert_eq!(api.get("one").await.unwrap().data.unwrap()["key"], "2");
}

#[tokio::test]
async fn a_request_without_the_token_is_unauthorized() {
    let options = Options { token: Some("s3cret".to_owned()), tls: true, ..Options::default() };
    let double = KubernetesDouble::with(options).await;
    double.put(&map("one", "1"));
    Api::<ConfigMap>::namespaced(client(&double).await, "here").get("one").await.unwrap();

    let mut kubeconfig = Kubeconfig::read_from(double.kubeconfig()).unwrap();
    kubeconfig.auth_infos.clear();
    kubeconfig.contexts[0].context.as_mut().unwrap().user = None;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let stranger = Api::<ConfigMap>::namespaced(Client::try_from(config).unwrap(), "here");
    assert_eq!(code(stranger.get("one").await), 401);
}

/// The test runs itself in the pod.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_in_a_pod_finds_the_api_by_the_files_of_its_account() {
    const NAME: &str = "kubernetes::a_process_in_a_pod_finds_the_api_by_the_files_of_its_account";
    if std::env::var_os("IN_THE_POD").is_some() {
        let client = Client::try_from(Config::incluster().unwrap()).unwrap();
        let found = Api::<ConfigMap>::default_namespaced(client).get("one").await.unwrap();
        assert_eq!(found.data.unwrap()["key"], "1");
        return;
    }
    let options = Options { token: Some("s3cret".to_owned()), tls: true, ..Options::default() };
    let double = KubernetesDouble::with(options).await;
    double.put(&map("one", "1"));
    let pod = double.in_cluster("here");
    let mut command = std::process::Command::new(InCluster::BINARY);
    command.args(pod.arguments(std::env::current_exe().unwrap(), &["--exact", NAME]));
    command.envs(pod.environment()).env("IN_THE_POD", "yes").env_remove("KUBECONFIG");
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(double.asked(Verb::Get), 1);
}
