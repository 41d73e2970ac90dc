//! The pictures of the admin tier in the README: `cargo xtask pictures` copies them. Nothing is asserted of their pixels.

use serde_json::json;
use session_wire::v1::Session;
use session_wire::v1::watch_sessions_response::Event;
use test_support::kubernetes::KubernetesDouble;
use test_support::{Browser, Events, Person, Signal, UserPod, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};
use crate::real_pods::user_pod;

const PEOPLE: [&str; 12] = [
    "Mara Lindqvist",
    "Chidi Okafor",
    "Ana Sousa",
    "Jonas Weber",
    "Priya Nair",
    "Tomás Herrera",
    "Leila Haddad",
    "Emeka Obi",
    "Yuki Tanaka",
    "Nora Byrne",
    "Piotr Nowak",
    "Fatima Zahra",
];

/// People of these names at a pod, each with an open page.
async fn visitors(pod: &UserPod, names: &[&str]) -> Vec<(Person, Events)> {
    let mut visitors = Vec::new();
    for name in names {
        let person = pod.person().visit().await;
        person.login(name).await;
        let stream = person.events().await;
        visitors.push((person, stream));
    }
    visitors
}

async fn picture(browser: &Browser, admin: &Admin, path: &str, name: &str) {
    browser.go(&format!("http://{}{path}", admin.http)).await;
    browser.sees("h1").await;
    browser.screenshot(name).await;
}

#[tokio::test]
async fn the_panel_with_a_draining_a_serving_and_a_lost_pod() {
    let options = [("DRAIN_TIMEOUT", "50s"), ("PROPAGATION_WAIT", "1h")];
    let drains = user_pod("user-1", &options).await;
    let (serves, lost) = (user_pod("user-2", &options).await, user_pod("user-3", &options).await);
    let mut there = visitors(&drains, &PEOPLE[..6]).await;
    let _elsewhere = (visitors(&serves, &PEOPLE[6..10]).await, visitors(&lost, &PEOPLE[10..]).await);
    let admin = Admin::start(&[&drains.grpc, &serves.grpc, &lost.grpc]).await;
    admin.sessions(12).await;
    lost.signal(Signal::SIGKILL);
    admin.pod(&lost.grpc, "the loss", |pod| pod["reachable"] == false).await;
    drains.signal(Signal::SIGTERM);
    for (person, stream) in &mut there {
        stream.next_named("drain").await;
        if drains.metric("graceful_logouts_total").await < 3.0 {
            person.post("/logout").send().await.unwrap();
        }
    }
    admin.pod(&drains.grpc, "three to be gone", |pod| pod["active_sessions"] == 3).await;
    let browser = Browser::open().await;
    browser.emulate(false, 1180, 657).await;
    picture(&browser, &admin, "/admin", "dashboard").await;
}

#[tokio::test]
async fn the_panel_in_maintenance_with_a_pod_that_has_not_followed() {
    let api = KubernetesDouble::start().await;
    let metadata = json!({ "namespace": "sample-app", "name": "app-config" });
    api.put(&json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {} }));
    let kubeconfig = api.kubeconfig().to_str().unwrap();
    let switch = [("KUBECONFIG", kubeconfig), ("MAINTENANCE_CONFIGMAP", "sample-app/app-config")];
    let options = [switch[0], switch[1], ("DRAIN_TIMEOUT", "60s")];
    let (first, second) = (user_pod("user-1", &options).await, user_pod("user-2", &options).await);
    // It was started without the switch, and never follows.
    let late = user_pod("user-3", &[]).await;
    let (mut there, _more) = (visitors(&first, &PEOPLE[..4]).await, visitors(&second, &PEOPLE[4..9]).await);
    let admin = Admin::with(&[&first.grpc, &second.grpc, &late.grpc], &switch).await;
    admin.sessions(9).await;
    admin.pod(&late.grpc, "the late one", |pod| pod["reachable"] == true).await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "true")]).send().await.unwrap();
    for (_, stream) in &mut there {
        stream.next_named("drain").await;
    }
    there[0].0.post("/logout").send().await.unwrap();
    let followed = || async { admin.person().text("/admin").await.contains("2 of 3").then_some(()) };
    eventually("two to follow", followed).await;
    let browser = Browser::open().await;
    browser.emulate(false, 1180, 700).await;
    picture(&browser, &admin, "/admin", "maintenance").await;
}

#[tokio::test]
async fn the_dashboard_in_the_dark() {
    let minutes = [3, 8, 21, 34, 47, 59, 66, 90, 125, 160, 204, 241];
    let row = |pod, n: usize| {
        let row = session(pod, PEOPLE[n], minutes[(n * 5) % 12]);
        // Later than the login: where both are three minutes ago, a millisecond may pass between them.
        let last_activity = session(pod, "", minutes[n] % 9).last_activity;
        Session { last_activity, ..row }
    };
    let rows = |pod: &'static str, from: usize| (from..from + 6).map(move |n| row(pod, n)).collect::<Vec<_>>();
    let first = FakePod::saying([Event::Pod(pod("user-1", 6)), snapshot(rows("user-1", 0))]).await;
    let second = FakePod::saying([Event::Pod(pod("user-2", 6)), snapshot(rows("user-2", 6))]).await;
    let admin = Admin::start(&[&first.address, &second.address]).await;
    admin.sessions(12).await;
    let browser = Browser::open().await;
    browser.emulate(true, 1180, 577).await;
    picture(&browser, &admin, "/admin/users?sort=-duration_seconds", "users-dark").await;
}
