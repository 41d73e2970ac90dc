//! What the admin tier remembers of the drains of real pods.

use serde_json::Value;
use test_support::{Person, Signal, UserPod, eventually, metric};

use crate::Admin;
use crate::real_pods::user_pod;

/// A user with this name.
pub(crate) async fn named(pod: &UserPod, name: &str) -> Person {
    let person = pod.person().visit().await;
    person.login(name).await;
    person
}

/// Waits until the admin tier lists these users and no others. A session that was just named is listed by its old id for a second.
pub(crate) async fn lists(admin: &Admin, users: &[&str]) {
    eventually("these users", || async {
        let answer = admin.json("/admin/api/v1/sessions?sort=user").await;
        let listed = answer["sessions"].as_array().unwrap().iter().map(|session| session["user"].as_str().unwrap());
        listed.eq(users.iter().copied()).then_some(())
    })
    .await;
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
async fn a_drain_is_recorded_with_its_sessions_and_how_each_left() {
    let waits = [("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")];
    let mut pod = user_pod("user-1", &waits).await;
    let admin = Admin::start(&[&pod.grpc]).await;
    let history = admin.person().text("/admin/history").await;
    assert!(history.contains("No pod has drained since"), "{history}");
    let (ada, bob) = (named(&pod, "ada").await, named(&pod, "bob").await);
    let (mut ada_hears, mut bob_hears) = (ada.events().await, bob.events().await);
    lists(&admin, &["ada", "bob"]).await;

    pod.signal(Signal::SIGTERM);
    ada_hears.next_named("drain").await;
    let running = drain(&admin, "the drain", |drain| drain["sessions"] == 2).await;
    assert_eq!(
        (&running["reason"], &running["end"], &running["partial"]),
        (&"shutdown".into(), &Value::Null, &false.into())
    );
    ada.get("/logout").await;
    drain(&admin, "a logout", |drain| drain["outcomes"]["logout"] == 1).await;
    // The operator hurries.
    pod.signal(Signal::SIGTERM);
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
async fn a_session_that_maintenance_ends_is_in_the_record_of_its_drain() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let options =
        [("DRAIN_TIMEOUT", "3s"), ("MAINTENANCE_FILE", switch.to_str().unwrap()), ("MAINTENANCE_POLL", "100ms")];
    let pod = user_pod("user-1", &options).await;
    let admin = Admin::start(&[&pod.grpc]).await;
    let ada = named(&pod, "ada").await;
    let mut hears = ada.events().await;
    lists(&admin, &["ada"]).await;
    std::fs::write(&switch, "true").unwrap();
    hears.next_named("session-ended").await;
    let over = drain(&admin, "who was forced", |drain| drain["outcomes"]["forced"] == 1).await;
    assert_eq!((&over["reason"], &over["end"]), (&"maintenance".into(), &"over".into()));
    assert_eq!((how(&over, "ada"), &over["remaining"]), ("forced".into(), &0.into()));
    assert!(!over["emptied_at"].is_null(), "{over}");
}

#[tokio::test]
async fn a_user_whom_the_page_signs_out_did_not_leave_in_time() {
    let waits = [("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")];
    let pod = user_pod("user-1", &waits).await;
    let admin = Admin::start(&[&pod.grpc]).await;
    let (ada, bob) = (named(&pod, "ada").await, named(&pod, "bob").await);
    let (mut ada_hears, mut bob_hears) = (ada.events().await, bob.events().await);
    lists(&admin, &["ada", "bob"]).await;
    pod.signal(Signal::SIGTERM);
    ada_hears.next_named("drain").await;
    bob_hears.next_named("drain").await;
    drain(&admin, "the drain", |drain| drain["present_sessions"] == 2).await;
    ada.get("/logout?reason=drain").await;
    bob.get("/logout").await;
    let over = drain(&admin, "both gone", |drain| drain["remaining"] == 0 && drain["away"] == 0).await;
    assert_eq!((&over["outcomes"]["auto_logout"], &over["outcomes"]["logout"]), (&1.into(), &1.into()), "{over}");
    let counted = async || {
        let page = admin.person().text("/metrics").await;
        let counters =
            [r#"graceful_logouts_total{pod="user-1"}"#, r#"lastcall_admin_pod_auto_logouts_total{pod="user-1"}"#];
        (counters.map(|name| metric(&page, name)) == [Some(2.0), Some(1.0)]).then_some(())
    };
    eventually("both counters", counted).await;
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("signed out by the page at the end of a countdown"), "{panel}");
    assert!(!panel.contains("No user was forced out so far."), "{panel}");
    pod.signal(Signal::SIGTERM);
    drain(&admin, "its end", |drain| drain["end"] == "over").await;
    let history = admin.person().text("/admin/history").await;
    assert!(history.contains("some were signed out by the page") && !history.contains("left in time"), "{history}");
}

#[tokio::test]
async fn a_drain_that_is_not_remembered_gets_a_clear_answer() {
    let admin = Admin::start(&["127.0.0.1:1"]).await;
    for (query, status) in [("?pod=a&started=1", 404), ("?pod=a", 400), ("?pod=a&started=soon", 400)] {
        let answer = admin.person().get(&format!("/admin/history/drain{query}")).await;
        assert_eq!(answer.status(), status, "{query}");
    }
    for (query, status) in [("?people=maybe", 400), ("?since=1", 200), ("?pod=nowhere", 200)] {
        assert_eq!(admin.person().get(&format!("/admin/api/v1/drains{query}")).await.status(), status, "{query}");
    }
}
