//! Pods as a cluster names them: they come, drain, vanish and come back elsewhere, before an API that fails.

use std::time::Instant;

use serde_json::{Value, json};
use session_wire::v1::watch_sessions_response::Event;
use test_support::kubernetes::{Fault, KubernetesDouble, Verb};
use test_support::{eventually, metric};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

const SERVICE: &str = "kubernetes://sample-app/user-pods:grpc";

/// A pod that holds one session.
async fn holding(name: &str, user: &str) -> FakePod {
    FakePod::saying([Event::Pod(pod(name, 1)), snapshot([session(name, user, 1)])]).await
}

/// The admin tier before this cluster.
async fn admin(api: &KubernetesDouble) -> Admin {
    Admin::with(&[SERVICE], &[("KUBECONFIG", api.kubeconfig().to_str().unwrap())]).await
}

/// Puts a pod into the Service, in a slice of its own: on one machine each has another port.
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

/// The API's list of pods, as soon as it is as it should be.
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

fn said(admin: &Admin, text: &str) -> usize {
    admin.log().iter().filter(|line| line.contains(text)).count()
}

#[tokio::test]
async fn a_pod_comes_drains_vanishes_and_comes_back_elsewhere() {
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
    for word in ["ready", "serving", "not ready", "not serving"] {
        assert!(panel.contains(&format!(r#"<span class="badge">{word}</span>"#)), "{word} in\n{panel}");
    }

    // Told to stop, it is still in the slice; then it is in it no more, and still there.
    list(&api, "s-1", "user-1", &first, &json!({ "ready": false, "serving": true, "terminating": true }));
    let seen = admin.pod(&first.address, "the end coming", |pod| pod["terminating"] == true).await;
    assert_eq!((&seen["ready"], &seen["serving"], &seen["reachable"]), (&false.into(), &true.into(), &true.into()));
    api.remove("endpointslices", "sample-app", "s-1");
    let seen = admin.pod(&first.address, "the vanishing", |pod| pod["listed"] == false).await;
    assert_eq!((&seen["reachable"], &seen["terminating"]), (&true.into(), &Value::Null), "it is heard");
    assert!(admin.person().text("/admin").await.contains("no longer listed"));
    assert_eq!(admin.json("/admin/api/v1/sessions").await["complete"], true);

    // What is lost with it stays in sight.
    let address = first.address.clone();
    drop(first);
    let seen = admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    assert_eq!((&seen["pod"], &seen["listed"]), (&"user-1".into(), &false.into()));
    assert_eq!(admin.json("/admin/api/v1/sessions").await["total"], 2);

    // Back under the same name, it takes the place of what it was.
    let back = holding("user-1", "eve").await;
    list(&api, "s-3", "user-1", &back, &ready());
    let all = pods(&admin, "the return", |pods| count(pods) == 2 && pods["complete"] == true).await;
    assert!(!all.to_string().contains(&address), "{all}");
    let sessions = admin.sessions(2).await;
    assert!(!sessions.to_string().contains("ada"), "{sessions}");
    let page = admin.person().text("/metrics").await;
    assert_eq!(metric(&page, r#"lastcall_admin_pod_up{pod="user-1"}"#), Some(1.0), "{page}");
    assert_eq!(page.matches(r#"total_logins{pod="user-1"}"#).count(), 1, "{page}");
}

/// What an API can do to us, and how it ends.
#[derive(Clone, Copy, Debug)]
enum Outage {
    Refuses,
    TurnsAway,
    Fails(Fault),
}

async fn an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(outage: Outage) {
    let mut api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    let (asked, began) = (api.asked_anything() + api.connections(), Instant::now());
    match outage {
        Outage::Refuses => api.stop().await,
        Outage::TurnsAway => api.reject_connections(true),
        Outage::Fails(fault) => {
            api.fault_all(fault);
            api.cut_watches();
        }
    }
    let away = pods(&admin, "the trouble", |pods| pods["discovery_error"].is_string()).await;
    list(&api, "s-2", "user-2", &second, &ready());
    // As many answers of the admin tier as there may be: the pod is in all of them.
    let mut answers = 0;
    while answers < 20 || began.elapsed().as_secs() < 4 {
        let pods = admin.json("/admin/api/v1/pods").await;
        assert_eq!((count(&pods), &pods["pods"][0]["reachable"]), (1, &true.into()), "{pods}");
        assert_eq!((&pods["pods"][0]["ready"], &pods["complete"]), (&true.into(), &true.into()), "{pods}");
        answers += 1;
        tokio::task::yield_now().await;
    }
    assert!(admin.person().text("/admin").await.contains("Pods cannot be found just now"), "{away}");
    let asked = api.asked_anything() + api.connections() - asked;
    let most = 30 + 2 * began.elapsed().as_secs();
    assert!(asked <= most, "asked {asked} times in {:?}", began.elapsed());

    match outage {
        Outage::Refuses => api.start_again().await,
        Outage::TurnsAway | Outage::Fails(_) => api.heal(),
    }
    let well = pods(&admin, "the recovery", |pods| pods["discovery_error"].is_null() && count(pods) == 2).await;
    assert!(well["pods"].as_array().unwrap().iter().all(|pod| pod["listed"] == true), "{well}");
    admin.sessions(2).await;
    assert_eq!((said(&admin, "pods cannot be found"), said(&admin, "pods are found again")), (1, 1), "{outage:?}");
    assert_eq!(said(&admin, "kube_"), 0, "kube has nothing to say beside us: {:?}", admin.log());
}

#[tokio::test]
async fn an_api_that_refuses_connections_takes_no_pod() {
    an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(Outage::Refuses).await;
}

#[tokio::test]
async fn an_api_that_turns_everybody_away_takes_no_pod() {
    an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(Outage::TurnsAway).await;
}

#[tokio::test]
async fn an_api_that_forbids_takes_no_pod() {
    an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(Outage::Fails(Fault::Forbidden)).await;
}

#[tokio::test]
async fn an_api_that_is_broken_takes_no_pod() {
    an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(Outage::Fails(Fault::Broken)).await;
}

#[tokio::test]
async fn an_api_that_is_busy_takes_no_pod() {
    an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(Outage::Fails(Fault::Busy)).await;
}

#[tokio::test]
async fn an_api_that_never_answers_takes_no_pod() {
    an_outage_takes_no_pod_and_what_came_meanwhile_is_found_after_it(Outage::Fails(Fault::Silent)).await;
}

/// Watches that fail while lists succeed: no pod is missing, news arrive, nobody is asked without end.
async fn watches_that_fail_are_lived_with(fault: Option<Fault>) {
    let api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    eventually("a watch", || async { (api.watching() > 0).then_some(()) }).await;
    let (asked, began) = (api.asked_anything(), Instant::now());
    match fault {
        Some(fault) => api.fault(Verb::Watch, fault),
        None => api.compact(),
    }
    api.cut_watches();
    api.expire_watches();
    list(&api, "s-2", "user-2", &second, &ready());
    eventually("the second pod", || async {
        let pods = admin.json("/admin/api/v1/pods").await;
        assert!(pods.to_string().contains(&first.address), "{pods}");
        (count(&pods) == 2).then_some(())
    })
    .await;
    let asked = api.asked_anything() - asked;
    let most = 30 + 2 * began.elapsed().as_secs();
    assert!(asked <= most, "{fault:?}: asked {asked} times in {:?}", began.elapsed());
    let is_trouble = fault == Some(Fault::Forbidden);
    if is_trouble {
        pods(&admin, "the trouble", |pods| pods["discovery_error"].is_string()).await;
    }
    api.heal();
    api.remove("endpointslices", "sample-app", "s-2");
    admin.pod(&second.address, "the removal", |pod| pod["listed"] == false).await;
    pods(&admin, "no trouble", |pods| pods["discovery_error"].is_null()).await;
    assert_eq!(said(&admin, "pods cannot be found"), usize::from(is_trouble), "{fault:?}");
}

#[tokio::test]
async fn a_watch_that_is_told_it_is_too_far_behind_is_begun_again() {
    watches_that_fail_are_lived_with(None).await;
    watches_that_fail_are_lived_with(Some(Fault::Gone)).await;
}

#[tokio::test]
async fn watches_that_end_break_or_talk_nonsense_at_once_are_no_busy_loop() {
    for fault in [Fault::Ends, Fault::Breaks, Fault::Garbles] {
        watches_that_fail_are_lived_with(Some(fault)).await;
    }
}

#[tokio::test]
async fn a_watch_that_may_not_be_is_made_up_for_by_lists_and_said() {
    watches_that_fail_are_lived_with(Some(Fault::Forbidden)).await;
}

#[tokio::test]
async fn a_watch_that_goes_silent_is_noticed() {
    let api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    eventually("a watch", || async { (api.watching() > 0).then_some(()) }).await;
    api.fault(Verb::Watch, Fault::Mute);
    api.heal();
    list(&api, "s-2", "user-2", &second, &ready());
    let found = pods(&admin, "the second pod", |pods| count(pods) == 2).await;
    assert!(found["discovery_error"].is_null() && found.to_string().contains(&first.address), "{found}");
}

#[tokio::test]
async fn a_port_that_the_service_does_not_have_is_said_once() {
    let api = KubernetesDouble::start().await;
    let fake = holding("user-1", "ada").await;
    list(&api, "s-1", "user-1", &fake, &ready());
    let kubeconfig = api.kubeconfig().to_str().unwrap().to_owned();
    let wrong = ["kubernetes://sample-app/user-pods:web"];
    let admin = Admin::with(&wrong, &[("KUBECONFIG", &kubeconfig)]).await;
    let is_said = |pods: &Value| pods["discovery_error"].as_str().is_some_and(|text| text.contains("there: grpc"));
    pods(&admin, "the fault", is_said).await;
    list(&api, "s-2", "user-2", &fake, &ready());
    list(&api, "s-2", "user-2", &fake, &json!({ "ready": false }));
    pods(&admin, "the fault", is_said).await;
    assert_eq!(said(&admin, "there: grpc"), 1);
}

#[tokio::test]
async fn without_a_cluster_the_admin_tier_serves_and_says_what_is_missing() {
    let admin = Admin::with(&[SERVICE], &[("KUBECONFIG", "/nowhere/kubeconfig")]).await;
    let pods = pods(&admin, "the trouble", |pods| pods["discovery_error"].is_string()).await;
    assert!(pods["discovery_error"].as_str().unwrap().contains("Kubernetes API"), "{pods}");
    assert_eq!(admin.person().status("/ready").await, 200);
}
