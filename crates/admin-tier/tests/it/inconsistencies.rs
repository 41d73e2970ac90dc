//! Pods that report impossible data: the inconsistency is shown, and all other data stays.

use session_wire::v1::watch_sessions_response::Event;

use crate::Admin;
use crate::fake_pod::{FakePod, changes, pod, session, snapshot};

#[tokio::test]
async fn two_pods_under_one_name_are_both_shown_as_doubtful() {
    let first = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)])]).await;
    let second = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "bob", 1)])]).await;
    let admin = Admin::start(&[&first.address, &second.address]).await;
    for (pod, other) in [(&first, &second), (&second, &first)] {
        let seen = admin.pod(&pod.address, "a doubt", |pod| pod["error"].is_string()).await;
        assert_eq!(seen["error"], format!("{} answers under the same name", other.address));
        assert_eq!(seen["reachable"], true);
    }
    assert_eq!(admin.sessions(2).await["complete"], false);
}

#[tokio::test]
async fn sessions_of_another_pod_are_left_out() {
    let fake = [session("user-1", "ada", 1), session("user-2", "eve", 1)];
    let inconsistent = FakePod::saying([Event::Pod(pod("user-1", 2)), snapshot(fake)]).await;
    let admin = Admin::start(&[&inconsistent.address]).await;
    let seen = admin.pod(&inconsistent.address, "a doubt", |pod| pod["error"].is_string()).await;
    assert_eq!(seen["error"], "sends sessions of pod user-2, which are left out");
    let sessions = admin.sessions(1).await;
    assert_eq!((&sessions["sessions"][0]["user"], &sessions["complete"]), (&"ada".into(), &false.into()));
}

#[tokio::test]
async fn times_in_the_future_are_shown_as_doubtful_and_never_as_a_negative_duration() {
    let inconsistent = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", -90)])]).await;
    let admin = Admin::start(&[&inconsistent.address]).await;
    let seen = admin.pod(&inconsistent.address, "a doubt", |pod| pod["error"].is_string()).await;
    assert_eq!(seen["error"], "its clock is 89 min ahead");
    assert_eq!(admin.sessions(1).await["sessions"][0]["duration_seconds"], 0);
    assert!(admin.person().text("/admin/users").await.contains("impossible times"));
}

#[tokio::test]
async fn a_session_sent_twice_or_claimed_by_two_pods_is_counted_once() {
    let mut twice = session("user-1", "ada", 5);
    let first = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([twice.clone(), twice.clone()])]).await;
    twice.pod = "user-2".into();
    let second = FakePod::saying([Event::Pod(pod("user-2", 1)), snapshot([twice])]).await;
    let admin = Admin::start(&[&first.address, &second.address]).await;
    let seen = admin.pod(&first.address, "a doubt", |pod| pod["error"].is_string()).await;
    assert_eq!(seen["error"], "sends one session twice");
    admin.pod(&second.address, "live", |pod| pod["reachable"] == true).await;
    assert_eq!(admin.sessions(1).await["sessions"].as_array().unwrap().len(), 1);
    assert!(admin.person().text("/admin/users").await.contains("on several pods"));
}

#[tokio::test]
async fn invalid_messages_are_left_out_and_reported() {
    let (good, mut bad) = (session("user-1", "ada", 1), session("user-1", "eve", 1));
    bad.session_id = "../../etc/passwd".into();
    let mut nameless = pod("user-1", 1);
    nameless.pod = String::new();
    let events = [Event::Pod(pod("user-1", 1)), snapshot([good, bad]), Event::Pod(nameless)];
    let inconsistent = FakePod::saying(events).await;
    let admin = Admin::start(&[&inconsistent.address]).await;
    let seen = admin.pod(&inconsistent.address, "a doubt", |pod| pod["error"].is_string()).await;
    assert!(seen["error"].as_str().unwrap().starts_with("sends what makes no sense: "), "{seen}");
    assert_eq!(seen["pod"], "user-1");
    admin.sessions(1).await;
}

#[tokio::test]
async fn changes_of_sessions_are_applied() {
    let (stays, goes, mut renamed) = (session("a", "ada", 3), session("a", "bob", 2), session("a", "anonymous", 1));
    let begin = snapshot([stays.clone(), goes.clone(), renamed.clone()]);
    renamed.user = "carol".into();
    let events = [Event::Pod(pod("a", 3)), begin, changes(&[renamed.clone(), session("a", "dave", 0)], &[&goes])];
    let fake = FakePod::saying(events).await;
    let admin = Admin::start(&[&fake.address]).await;
    let users = || async {
        let list = admin.json("/admin/api/v1/sessions?sort=user").await;
        let names = list["sessions"].as_array().unwrap().iter().map(|row| row["user"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>() == ["ada", "carol", "dave"]).then_some(list)
    };
    let list = test_support::eventually("the changes", users).await;
    assert_eq!((&list["total"], &list["complete"]), (&3.into(), &true.into()));
}
