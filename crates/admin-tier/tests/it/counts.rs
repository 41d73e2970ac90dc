//! What a pod counts and what it has listed, and what a pod says of itself.

use session_wire::v1::Session;
use session_wire::v1::watch_sessions_response::Event;
use test_support::{Redis, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, Then, pod, session, snapshot};
use crate::real_pods::user_pod;

#[tokio::test]
async fn a_pod_whose_list_differs_from_its_count_is_incomplete_and_listed_again() {
    let (ada, bob) = (session("user-1", "ada", 2), session("user-1", "bob", 1));
    let misses_one = vec![Event::Pod(pod("user-1", 2)), snapshot([ada.clone()])];
    let whole = vec![Event::Pod(pod("user-1", 2)), snapshot([ada, bob])];
    let fake = FakePod::start([(misses_one, Then::Stay), (whole, Then::Stay)]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    admin.process.line("fetching the list again").await;
    let list = admin.sessions(2).await;
    admin.pod(&fake.address, "no difference any more", |pod| pod["error"].is_null()).await;
    assert_eq!(list["unreachable_pods"].as_array().unwrap().len(), 0, "it was heard all the time");

    let keeps_missing = vec![Event::Pod(pod("user-2", 2)), snapshot([session("user-2", "eve", 1)])];
    let inconsistent = FakePod::saying(keeps_missing).await;
    let admin = Admin::start(&[&inconsistent.address]).await;
    let seen = admin.pod(&inconsistent.address, "the difference", |pod| pod["error"].is_string()).await;
    assert_eq!(seen["error"], "counts 2 sessions and has listed 1; its list is asked for again");
    admin.process.line("fetching the list again").await;
    let pods = admin.json("/admin/api/v1/pods").await;
    assert_eq!((&pods["complete"], &pods["pods"][0]["reachable"]), (&false.into(), &true.into()));
}

#[tokio::test]
async fn a_message_with_too_many_sessions_is_not_read_and_the_reason_is_shown() {
    // Two bytes each on the wire, and a hundred and fifty where they are read.
    let many = std::iter::repeat_n(Session::default(), 500_000);
    let inconsistent = FakePod::saying([Event::Pod(pod("user-1", 500_000)), snapshot(many)]).await;
    let admin = Admin::start(&[&inconsistent.address]).await;
    let seen = admin.pod(&inconsistent.address, "a reason", |pod| pod["error"].is_string()).await;
    assert_eq!(seen["error"], "it sends a message with more than 1000 sessions");
    let pods = admin.json("/admin/api/v1/pods").await;
    assert_eq!((&pods["complete"], &pods["total_sessions"]), (&false.into(), &0.into()));
    let peak = std::fs::read_to_string(format!("/proc/{}/status", admin.process.id())).unwrap_or_default();
    let peak =
        peak.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(peak.is_none_or(|kilobytes| kilobytes < 75_000), "{peak:?} kB");
}

#[tokio::test]
async fn sessions_that_move_to_another_pod_and_back_at_once_stay_on_the_dashboard() {
    let redis = Redis::start().await;
    let url = redis.url();
    let options = [("REDIS_URL", url.as_str()), ("SESSION_KEY", "shared")];
    let (first, second) = (user_pod("user-1", &options).await, user_pod("user-2", &options).await);
    let admin = Admin::start(&[&first.grpc, &second.grpc]).await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(first.person().visit().await);
    }
    admin.sessions(5).await;
    for person in &people {
        assert_eq!(person.at(&second.http).status("/session").await, 200);
        let has_left = async || (first.metric("active_sessions_total").await == 4.0).then_some(());
        eventually("the session has left the first pod", has_left).await;
        assert_eq!(person.status("/session").await, 200, "it is back");
        assert_eq!(first.metric("active_sessions_total").await, 5.0);
    }
    let held = async || first.metric("active_sessions_total").await + second.metric("active_sessions_total").await;
    eventually("each session on one pod", async || (held().await == 5.0).then_some(())).await;
    // What each pod says is told within two seconds: what is missing then is missing for good.
    let is_settled = async || {
        let pods = admin.json("/admin/api/v1/pods").await;
        let counted = pods["pods"].as_array().unwrap().iter().filter_map(|pod| pod["active_sessions"].as_u64());
        (counted.sum::<u64>() == 5 && pods["total_sessions"] == 5).then_some(pods)
    };
    let pods = eventually("all of them on the dashboard", is_settled).await;
    assert_eq!(pods["complete"], true, "{pods}");
    assert!(!admin.process.log().join("\n").contains("fetching the list again"), "no pod had to be listed anew");
}

#[tokio::test]
async fn a_pod_is_shown_with_its_own_readiness_revision_and_present_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let options = [
        ("MAINTENANCE_FILE", switch.to_str().unwrap()),
        ("MAINTENANCE_POLL", "100ms"),
        ("MAINTENANCE_READINESS", "immediate"),
        ("PRESENCE_LINGER", "0s"),
        ("POD_REVISION", "7d9f8c"),
    ];
    let user = user_pod("user-1", &options).await;
    let admin = Admin::start(&[&user.grpc]).await;
    let ada = user.person().visit().await;
    let stream = ada.events().await;
    let is_right = |ready: bool, present: u64| {
        move |pod: &serde_json::Value| pod["ready"] == ready && pod["present_sessions"] == present
    };
    let seen = admin.pod(&user.grpc, "who is present", is_right(true, 1)).await;
    assert_eq!((&seen["revision"], &seen["active_sessions"]), (&"7d9f8c".into(), &1.into()));
    // Presence lapses without any request.
    drop(stream);
    admin.pod(&user.grpc, "no session present", is_right(true, 0)).await;
    std::fs::write(&switch, "true").unwrap();
    admin.pod(&user.grpc, "not ready", is_right(false, 0)).await;
    assert!(admin.person().text("/admin").await.contains(">not ready<"));
    assert_eq!(user.person().status("/ready").await, 503);
    std::fs::write(&switch, "false").unwrap();
    admin.pod(&user.grpc, "ready", is_right(true, 0)).await;
}
