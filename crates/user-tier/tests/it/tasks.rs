//! Tasks in real processes: a drain waits for them, on one pod and while their session moves to another.

use serde_json::Value;
use test_support::{Person, Redis, Signal, UserPod, eventually};

use crate::{BINARY, QUICK, pod};

const KEY: (&str, &str) = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");

/// Begins a task and gives its path.
async fn begin(person: &Person, body: &'static str) -> String {
    let begun = person.post("/tasks").body(body).send().await.unwrap();
    assert_eq!(begun.status(), 201);
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    let task: Value = begun.json().await.unwrap();
    assert!(location.ends_with(task["task_id"].as_str().unwrap()), "{location}");
    location
}

async fn renew(person: &Person, path: &str, body: &'static str) -> u16 {
    person.put(path).body(body).send().await.unwrap().status().as_u16()
}

async fn end(person: &Person, path: &str) -> u16 {
    person.delete(path).send().await.unwrap().status().as_u16()
}

async fn balances(pod: &UserPod) {
    let mut ended = 0.0;
    for outcome in ["logout", "auto_logout", "forced", "expired", "moved"] {
        ended += pod.metric(&format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")).await;
    }
    let begun = pod.metric("total_logins").await + pod.metric("lastcall_sessions_adopted_total").await;
    assert_eq!(begun, pod.metric("active_sessions_total").await + ended);
}

#[tokio::test]
async fn a_drain_tells_the_page_of_its_task_and_waits_for_the_task_past_the_deadline() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "2s"), ("TASK_GRACE", "30s")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    let common = stream.next_named("drain").await.data;
    assert!(common.get("protected").is_none(), "{common}");
    let path = begin(&person, r#"{"kind": "export", "lease_seconds": 60}"#).await;
    let own = stream.next_named("drain").await.data;
    assert_eq!(own["protected"], true);
    assert!(own["forced_logout_at"].as_str() > common["forced_logout_at"].as_str(), "{common} {own}");
    pod.line("Waiting up to 30s for 1 session with work in progress...").await;
    assert_eq!(renew(&person, &path, r#"{"progress": 0.5}"#).await, 200);
    assert_eq!(pod.metric("lastcall_tasks_active").await, 1.0);
    assert_eq!(end(&person, &path).await, 204);
    let after = stream.next_named("drain").await.data;
    assert!(after.get("protected").is_none(), "{after}");
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    assert!(pod.wait().await.success());
    let log = pod.drain_log();
    let force_closing = "[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...";
    let position = |line: &str| log.iter().position(|logged| logged.contains(line));
    assert!(position("Waiting up to 30s").unwrap() < position(force_closing).unwrap(), "{log:#?}");
    assert!(!pod.log().join("\n").contains("tasks were cut"), "it has ended before");
}

#[tokio::test]
async fn a_task_is_cut_at_the_end_of_its_time_and_the_log_says_so() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "1s"), ("TASK_GRACE", "0s")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    begin(&person, r#"{"kind": "export", "label": "secret plans"}"#).await;
    pod.signal(Signal::SIGTERM);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    assert!(pod.wait().await.success());
    let log = pod.log().join("\n");
    assert!(log.contains("tasks were cut") && log.contains("export"), "{log}");
    assert!(!log.contains("secret plans"), "{log}");
}

#[tokio::test]
async fn a_task_goes_on_while_its_session_moves_and_its_new_pod_answers_for_it() {
    let redis = Redis::start().await;
    let url = redis.url();
    let sharing = [("REDIS_URL", url.as_str()), KEY, ("DRAIN_TIMEOUT", "3s"), ("TASK_GRACE", "60s")];
    let options = [&QUICK[..], &sharing].concat();
    let (mut first, second) =
        (UserPod::start(BINARY, "user-1", &options).await, UserPod::start(BINARY, "user-2", &options).await);
    let here = first.person().visit().await;
    let stream = here.events().await;
    let path = begin(&here, r#"{"kind": "export", "lease_seconds": 5}"#).await;
    let there = here.at(&second.http);
    assert_eq!(there.status("/session").await, 200);
    assert_eq!(renew(&there, &path, r#"{"progress": 0.1}"#).await, 200, "a guest's pod answers, too");
    assert_eq!(second.metric("lastcall_sessions_adopted_total").await, 0.0);
    first.signal(Signal::SIGTERM);
    first.line("Waiting 3s for users").await;
    let _moved = there.events().await;
    drop(stream);
    eventually("the session has moved", || async {
        (first.metric("lastcall_session_ends_total{outcome=\"moved\"}").await == 1.0).then_some(())
    })
    .await;
    first.line("Waiting up to").await;
    for _ in 0..3 {
        assert_eq!(renew(&there, &path, r#"{"lease_seconds": 5}"#).await, 200);
    }
    let stranger = second.person().visit().await;
    assert_eq!(renew(&stranger, &path, "").await, 404);
    assert_eq!(end(&stranger, &path).await, 204);
    assert_eq!((first.metric("lastcall_tasks_active").await, second.metric("lastcall_tasks_active").await), (1.0, 0.0));
    balances(&first).await;
    balances(&second).await;
    assert_eq!((end(&there, &path).await, end(&there, &path).await), (204, 204));
    assert!(first.wait().await.success());
    assert!(!first.drain_log().join("\n").contains("Force-closing"), "{:#?}", first.drain_log());
    assert_eq!(there.status("/session").await, 200);
    assert_eq!(renew(&there, &path, "").await, 404);
}
