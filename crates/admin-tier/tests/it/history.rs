//! What the admin tier remembers of the drains of real pods.

use serde_json::Value;
use test_support::{Browser, Person, Signal, UserPod, eventually};

use crate::Admin;
use crate::real_pods::user_pod;

async fn named(pod: &UserPod, name: &str) -> Person {
    let person = pod.person().visit().await;
    person.login(name).await;
    person
}

async fn drain(admin: &Admin, what: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || async {
        let drains = admin.json("/admin/api/v1/drains?people=true").await;
        let drains = drains["drains"].as_array().unwrap();
        assert!(drains.len() <= 1, "{drains:?}");
        drains.first().filter(|drain| is_right(drain)).cloned()
    })
    .await
}

fn how(drain: &Value, user: &str) -> Value {
    let people = drain["people"].as_array().unwrap();
    let person = people.iter().find(|person| person["user"] == user);
    person.unwrap_or_else(|| panic!("no {user}: {drain}"))["outcome"].clone()
}

#[tokio::test]
async fn a_drain_is_remembered_with_who_was_there_and_how_each_left() {
    let waits = [("DRAIN_TIMEOUT", "2s"), ("PROPAGATION_WAIT", "0s")];
    let mut pod = user_pod("user-1", &waits).await;
    let admin = Admin::start(&[&pod.grpc]).await;
    let history = admin.person().text("/admin/history").await;
    assert!(history.contains("No pod has drained since"), "{history}");
    let (ada, bob) = (named(&pod, "ada").await, named(&pod, "bob").await);
    let (mut ada_hears, mut bob_hears) = (ada.events().await, bob.events().await);
    admin.sessions(2).await;

    pod.signal(Signal::SIGTERM);
    ada_hears.next_named("drain").await;
    let running = drain(&admin, "the drain", |drain| drain["sessions"] == 2).await;
    assert_eq!(
        (&running["reason"], &running["end"], &running["partial"]),
        (&"shutdown".into(), &Value::Null, &false.into())
    );
    ada.get("/logout").await;
    bob_hears.next_named("session-ended").await;
    assert!(pod.wait().await.success());

    let over = drain(&admin, "its end", |drain| drain["end"] == "over").await;
    assert_eq!((how(&over, "ada"), how(&over, "bob")), ("logout".into(), "forced".into()));
    assert_eq!(
        (&over["remaining"], &over["outcomes"]["logout"], &over["outcomes"]["forced"]),
        (&0.into(), &1.into(), &1.into())
    );
    let course: Vec<_> = over["course"].as_array().unwrap().iter().map(|point| &point["remaining"]).collect();
    assert_eq!((course.first(), course.last()), (Some(&&Value::from(2)), Some(&&Value::from(0))));

    let history = admin.person().text("/admin/history").await;
    let href = history.split('"').find(|part| part.starts_with("/admin/history/drain?")).unwrap().replace("&#38;", "&");
    let page = admin.person().text(&href).await;
    for part in ["<bdi>ada</bdi>", "signed out", "<bdi>bob</bdi>", "forced", "some were forced", "class=\"deadline\""] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn what_is_not_remembered_is_said() {
    let admin = Admin::start(&["127.0.0.1:1"]).await;
    for (query, status) in [("?pod=a&started=1", 404), ("?pod=a", 400), ("?pod=a&started=soon", 400)] {
        let answer = admin.person().get(&format!("/admin/history/drain{query}")).await;
        assert_eq!(answer.status(), status, "{query}");
    }
    for (query, status) in [("?people=maybe", 400), ("?since=1", 400), ("?pod=nowhere", 200)] {
        assert_eq!(admin.person().get(&format!("/admin/api/v1/drains{query}")).await.status(), status, "{query}");
    }
}

#[tokio::test]
async fn an_open_page_follows_a_drain_and_the_panel_what_operators_do() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let pod = user_pod("user-1", &[("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")]).await;
    // Pages are not renewed as pages: whatever changes has come by the stream.
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap()), ("REFRESH_INTERVAL", "1h")];
    let admin = Admin::with(&[&pod.grpc], &options).await;
    let (ada, bob) = (named(&pod, "ada").await, named(&pod, "bob").await);
    let (mut ada_hears, _bob_hears) = (ada.events().await, bob.events().await);
    admin.sessions(2).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/admin/history", admin.http)).await;
    browser.reads("#range", "No pod has drained").await;
    browser.reads("#standing", "Live").await;
    pod.signal(Signal::SIGTERM);
    ada_hears.next_named("drain").await;
    browser.reads("tbody tr", "runs, 2 left").await;

    browser.click("td a").await;
    browser.reads("#standing", "Live").await;
    browser.reads("#drain figcaption", "2 are left").await;
    // Opened, and nobody at it any more: rows would wait else.
    browser.run("document.getElementById('points').open = true").await;
    browser.hover("h1").await;
    ada.get("/logout").await;
    browser.reads("#drain figcaption", "half had left after").await;
    browser.reads("[data-list=\"people\"] tr:first-child", "signed out").await;
    assert!(browser.shows("#points table").await, "what somebody has opened stays open");

    browser.go(&format!("http://{}/admin", admin.http)).await;
    browser.reads("#standing", "Live").await;
    browser.reads("#audit", "Nothing yet").await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "true")]).send().await.unwrap();
    browser.reads("#audit li", "turned maintenance on").await;
}
