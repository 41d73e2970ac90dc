//! The operator moves the maintenance switch, and real pods follow: through a file, and through the Kubernetes API.

use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::kubernetes::{Fault, KubernetesDouble, Verb};
use test_support::{Events, Person, UserPod, eventually};

use crate::Admin;
use crate::real_pods::user_pod;

async fn move_to(admin: &Admin, enabled: &str) -> reqwest::Response {
    admin.person().post("/admin/maintenance").form(&[("enabled", enabled)]).send().await.unwrap()
}

async fn moved(admin: &Admin, enabled: &str) {
    let answer = move_to(admin, enabled).await;
    assert_eq!((answer.status(), &answer.headers()["location"]), (StatusCode::SEE_OTHER, &"/admin".parse().unwrap()));
}

async fn panel_says(admin: &Admin, what: &str) {
    eventually(what, || async { admin.person().text("/admin").await.contains(what).then_some(()) }).await;
}

async fn visitor(pod: &UserPod) -> (Person, Events) {
    let person = pod.person().visit().await;
    let stream = person.events().await;
    (person, stream)
}

async fn pods(admin: &Admin) -> Value {
    admin.json("/admin/api/v1/pods").await
}

#[tokio::test]
async fn the_panels_switch_writes_a_file_and_shows_which_pods_have_followed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&file, "false").unwrap();
    let file = file.to_str().unwrap();
    let options = [("MAINTENANCE_FILE", file), ("MAINTENANCE_POLL", "100ms"), ("DRAIN_TIMEOUT", "1h")];
    let first = user_pod("user-1", &options).await;
    let second = user_pod("user-2", &options).await;
    // One that looks elsewhere never follows.
    let stubborn = user_pod("user-3", &[]).await;
    let admin = Admin::with(&[&first.grpc, &second.grpc, &stubborn.grpc], &[("MAINTENANCE_FILE", file)]).await;
    let (ada, mut stream) = visitor(&first).await;
    admin.sessions(1).await;
    panel_says(&admin, "Maintenance is off").await;
    panel_says(&admin, "Every pod admits users.").await;

    moved(&admin, "true").await;
    assert!(admin.person().text("/admin").await.contains("Maintenance is on"), "at once, on the next page");
    assert_eq!(stream.next_named("drain").await.data["reason"], "maintenance");
    panel_says(&admin, "<strong>2 of 3</strong> pods have followed.").await;
    panel_says(&admin, "<strong>user-3</strong> still serves, ").await;
    assert_eq!(pods(&admin).await["safe_to_upgrade"], false);
    ada.post("/logout").send().await.unwrap();
    admin.sessions(0).await;
    assert_eq!(pods(&admin).await["safe_to_upgrade"], false, "a pod that serves may get people any moment");

    moved(&admin, "false").await;
    panel_says(&admin, "Every pod admits users.").await;
    assert_eq!(std::fs::read_to_string(file).unwrap().trim(), "false");
    // The log is written by a thread of its own.
    let both = async || {
        let log = admin.log().join("\n");
        (log.matches("the maintenance switch was moved").count() == 2).then_some(log)
    };
    let log = eventually("a line for each change", both).await;
    let line = log.lines().find(|line| line.contains("audit.action=\"maintenance_on\"")).unwrap();
    for part in ["audit.result=\"done\"", "operator.name=\"anybody\"", "client.address=127.0.0.1", file] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let panel = admin.person().text("/admin").await;
    for action in ["turned maintenance on", "turned maintenance off"] {
        assert_eq!(panel.matches(action).count(), 1, "{panel}");
    }

    for (bad, status) in [("perhaps", 400), ("", 400)] {
        assert_eq!(move_to(&admin, bad).await.status(), status);
    }
    let foreign = admin.person().post("/admin/maintenance").header("origin", "http://elsewhere.test");
    assert_eq!(foreign.form(&[("enabled", "true")]).send().await.unwrap().status(), 403);
    assert_eq!(std::fs::read_to_string(file).unwrap().trim(), "false");
}

#[tokio::test]
async fn without_a_switch_the_panel_says_which_option_to_set() {
    let pod = user_pod("user-1", &[]).await;
    let admin = Admin::start(&[&pod.grpc]).await;
    assert!(!admin.person().text("/admin").await.contains("/admin/maintenance"));
    let answer = move_to(&admin, "true").await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(answer.text().await.unwrap().contains("MAINTENANCE_CONFIGMAP"));
}

async fn api_with_configmap(data: Value) -> KubernetesDouble {
    let api = KubernetesDouble::start().await;
    let metadata = json!({ "namespace": "sample-app", "name": "app-config" });
    api.put(&json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data }));
    api
}

fn position(api: &KubernetesDouble) -> Value {
    api.object("configmaps", "sample-app", "app-config").unwrap()["data"]["MAINTENANCE_MODE"].clone()
}

#[tokio::test]
async fn three_pods_and_the_panel_share_a_configmap_through_the_api() {
    let mut api = api_with_configmap(json!({ "OTHER": "stays" })).await;
    let kubeconfig = api.kubeconfig().to_owned();
    let options = [
        ("KUBECONFIG", kubeconfig.to_str().unwrap()),
        ("MAINTENANCE_CONFIGMAP", "sample-app/app-config"),
        ("DRAIN_TIMEOUT", "2s"),
        ("MAINTENANCE_READINESS", "never"),
    ];
    let mut all = Vec::new();
    for name in ["user-1", "user-2", "user-3"] {
        all.push(user_pod(name, &options).await);
    }
    let addresses: Vec<_> = all.iter().map(|pod| pod.grpc.as_str()).collect();
    let admin = Admin::with(&addresses, &options[..2]).await;
    let mut visitors = Vec::new();
    for pod in &all {
        visitors.push(visitor(pod).await);
    }
    panel_says(&admin, "Maintenance is off").await;

    moved(&admin, "true").await;
    for (_, stream) in &mut visitors {
        stream.next_named("drain").await;
    }
    assert_eq!(position(&api), "true");
    let reasons = async |stream: &mut Events| stream.next_named("session-ended").await.data["reason"].clone();
    for (_, stream) in &mut visitors {
        assert_eq!(reasons(stream).await, "forced");
    }
    panel_says(&admin, "it is safe to upgrade").await;
    assert_eq!(pods(&admin).await["safe_to_upgrade"], true);

    // The API fails while the switch is on: no newcomer is admitted because of that, and the switch is followed again later.
    api.stop().await;
    panel_says(&admin, "This is the last known position").await;
    let away = move_to(&admin, "false").await;
    assert_eq!(away.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(away.text().await.unwrap().contains("The switch was not moved"));
    assert_eq!(all[0].person().status("/").await, 503);
    api.start_again().await;
    eventually("the switch to be moved", || async {
        (move_to(&admin, "false").await.status() == StatusCode::SEE_OTHER).then_some(())
    })
    .await;
    for pod in &all {
        eventually("newcomers to be let in", || async { (pod.person().status("/").await == 200).then_some(()) }).await;
    }
    panel_says(&admin, "Every pod admits users.").await;
    assert_eq!(api.object("configmaps", "sample-app", "app-config").unwrap()["data"]["OTHER"], "stays");
}

#[tokio::test]
async fn two_operators_at_once_do_not_undo_each_others_move_and_a_refusal_is_shown() {
    let api = api_with_configmap(json!({ "MAINTENANCE_MODE": "false" })).await;
    let kubeconfig = api.kubeconfig();
    let options = [("KUBECONFIG", kubeconfig.to_str().unwrap()), ("MAINTENANCE_CONFIGMAP", "sample-app/app-config")];
    let pod = user_pod("user-1", &options).await;
    let (here, there) = (Admin::with(&[&pod.grpc], &options).await, Admin::with(&[&pod.grpc], &options).await);
    let (one, other) = tokio::join!(move_to(&here, "true"), move_to(&there, "true"));
    assert_eq!((one.status(), other.status()), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    assert_eq!(position(&api), "true");

    api.fault(Verb::Patch, Fault::Forbidden);
    let refused = move_to(&here, "false").await;
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let words = refused.text().await.unwrap();
    assert!(words.contains("its role must grant get and patch"), "{words}");
    assert_eq!(position(&api), "true");
    api.remove("configmaps", "sample-app", "app-config");
    api.heal();
    let gone = move_to(&here, "false").await.text().await.unwrap();
    assert!(gone.contains("kubectl create configmap -n sample-app app-config"), "{gone}");
    assert_eq!(pod.person().status("/").await, 503, "a ConfigMap that is gone moves nothing");
}

#[tokio::test]
async fn a_pod_that_starts_while_the_api_is_away_admits_no_user_during_maintenance() {
    let mut api = api_with_configmap(json!({ "MAINTENANCE_MODE": "true" })).await;
    let kubeconfig = api.kubeconfig().to_owned();
    api.stop().await;
    let options = [("KUBECONFIG", kubeconfig.to_str().unwrap()), ("MAINTENANCE_CONFIGMAP", "sample-app/app-config")];
    let starting = user_pod("user-1", &options);
    let back = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        api.start_again().await;
    };
    let (pod, ()) = tokio::join!(starting, back);
    assert_eq!(pod.person().status("/").await, 503);
    assert_eq!(pod.metric("total_logins").await, 0.0);
}
