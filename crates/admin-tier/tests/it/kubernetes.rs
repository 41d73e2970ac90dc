//! Discovery through the Kubernetes API: pods that come, drain, vanish and come back at another address.

mod outages;
mod watches;

use serde_json::{Value, json};
use session_wire::v1::watch_sessions_response::Event;
use test_support::kubernetes::KubernetesDouble;
use test_support::{eventually, metric};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

const SERVICE: &str = "kubernetes://sample-app/user-pods:grpc";

/// A pod that holds one session.
async fn holding(name: &str, user: &str) -> FakePod {
    FakePod::saying([Event::Pod(pod(name, 1)), snapshot([session(name, user, 1)])]).await
}

/// The admin tier, with this API.
async fn admin(api: &KubernetesDouble) -> Admin {
    Admin::with(&[SERVICE], &[("KUBECONFIG", api.kubeconfig().to_str().unwrap())]).await
}

/// Adds a pod to the Service, in a slice of its own, as each has another port on this machine.
fn list(api: &KubernetesDouble, slice: &str, name: &str, pod: &FakePod, conditions: &Value) {
    let (host, port) = pod.address.rsplit_once(':').unwrap();
    api.put(&json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "namespace": "sample-app", "name": slice, "labels": { "kubernetes.io/service-name": "user-pods" },
        },
        "ports": [{ "name": "grpc", "port": port.parse::<u16>().unwrap(), "protocol": "TCP" }],
        "endpoints": [{
            "addresses": [host], "conditions": conditions,
            "targetRef": { "kind": "Pod", "namespace": "sample-app", "name": name, "uid": format!("uid-{slice}") },
        }],
    }));
}

fn ready() -> Value {
    json!({ "ready": true, "serving": true, "terminating": false })
}

/// The list of pods, as soon as it satisfies a condition.
async fn pods(admin: &Admin, what: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || async {
        let pods = admin.json("/admin/api/v1/pods").await;
        is_right(&pods).then_some(pods)
    })
    .await
}

fn count(pods: &Value) -> usize {
    pods["pods"].as_array().unwrap().len()
}

fn log_lines(admin: &Admin, text: &str) -> usize {
    admin.log().iter().filter(|line| line.contains(text)).count()
}

#[tokio::test]
async fn a_pod_comes_drains_vanishes_and_comes_back_at_another_address() {
    let api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    list(&api, "s-2", "user-2", &second, &json!({ "ready": false, "serving": false }));
    admin.sessions(2).await;
    let seen = admin.pod(&second.address, "the second", |pod| pod["ready"] == false).await;
    assert_eq!((&seen["serving"], &seen["terminating"], &seen["listed"]), (&false.into(), &Value::Null, &true.into()));
    let panel = admin.person().text("/admin").await;
    for condition in ["ready", "serving", "not ready", "not serving"] {
        assert!(panel.contains(&format!(r#"<span class="badge">{condition}</span>"#)), "{condition} in\n{panel}");
    }

    // A terminating pod is still in the slice; then it leaves the slice and still runs.
    list(&api, "s-1", "user-1", &first, &json!({ "ready": false, "serving": true, "terminating": true }));
    let seen = admin.pod(&first.address, "the termination", |pod| pod["terminating"] == true).await;
    assert_eq!((&seen["ready"], &seen["serving"], &seen["reachable"]), (&false.into(), &true.into(), &true.into()));
    api.remove("endpointslices", "sample-app", "s-1");
    let seen = admin.pod(&first.address, "the vanishing", |pod| pod["listed"] == false).await;
    assert_eq!((&seen["reachable"], &seen["terminating"]), (&true.into(), &Value::Null), "it can still be reached");
    assert!(admin.person().text("/admin").await.contains("no longer listed"));
    assert_eq!(admin.json("/admin/api/v1/sessions").await["complete"], true);

    // The sessions of the lost pod stay listed.
    let address = first.address.clone();
    drop(first);
    let seen = admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    assert_eq!((&seen["pod"], &seen["listed"]), (&"user-1".into(), &false.into()));
    assert_eq!(admin.json("/admin/api/v1/sessions").await["total"], 2);

    // A new pod of the same name replaces it.
    let back = holding("user-1", "eve").await;
    list(&api, "s-3", "user-1", &back, &ready());
    let all = pods(&admin, "the return", |pods| count(pods) == 2 && pods["complete"] == true).await;
    assert!(!all.to_string().contains(&address), "{all}");
    let sessions = admin.sessions(2).await;
    assert!(!sessions.to_string().contains(r#""user":"ada""#), "{sessions}");
    let page = admin.person().text("/metrics").await;
    assert_eq!(metric(&page, r#"lastcall_admin_pod_up{pod="user-1"}"#), Some(1.0), "{page}");
    assert_eq!(page.matches(r#"total_logins{pod="user-1"}"#).count(), 1, "{page}");
}

#[tokio::test]
async fn a_port_that_the_service_does_not_have_is_reported_once() {
    let api = KubernetesDouble::start().await;
    let fake = holding("user-1", "ada").await;
    list(&api, "s-1", "user-1", &fake, &ready());
    let kubeconfig = api.kubeconfig().to_str().unwrap().to_owned();
    let wrong = ["kubernetes://sample-app/user-pods:web"];
    let admin = Admin::with(&wrong, &[("KUBECONFIG", &kubeconfig)]).await;
    let is_reported = |pods: &Value| pods["discovery_error"].as_str().is_some_and(|text| text.contains("there: grpc"));
    pods(&admin, "the fault", is_reported).await;
    list(&api, "s-2", "user-2", &fake, &ready());
    list(&api, "s-2", "user-2", &fake, &json!({ "ready": false }));
    pods(&admin, "the fault", is_reported).await;
    assert_eq!(log_lines(&admin, "there: grpc"), 1);
}

#[tokio::test]
async fn without_a_cluster_the_admin_tier_serves_and_reports_what_is_missing() {
    let admin = Admin::with(&[SERVICE], &[("KUBECONFIG", "/nowhere/kubeconfig")]).await;
    let pods = pods(&admin, "the trouble", |pods| pods["discovery_error"].is_string()).await;
    assert!(pods["discovery_error"].as_str().unwrap().contains("Kubernetes API"), "{pods}");
    assert_eq!(admin.person().status("/ready").await, 200);
}
