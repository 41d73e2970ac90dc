//! Sessions with work and requests in progress: asked last, and their work finishes on the pod that began it.

use axum::body::Bytes;
use futures_util::StreamExt as _;
use reqwest::Response;
use test_support::{Redis, Signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

/// An upload that arrives when the test says so: too slowly to be protected.
struct SlowUpload {
    pieces: mpsc::UnboundedSender<Bytes>,
    answer: JoinHandle<Response>,
}

impl SlowUpload {
    fn begin(person: &Person) -> Self {
        let (pieces, mut sent) = mpsc::unbounded_channel::<Bytes>();
        let body = futures_util::stream::poll_fn(move |context| sent.poll_recv(context)).map(Ok::<_, std::io::Error>);
        let request = person.post("/uploads").body(reqwest::Body::wrap_stream(body));
        let answer = tokio::spawn(async move { request.send().await.unwrap() });
        pieces.send(Bytes::from_static(b"a")).unwrap();
        Self { pieces, answer }
    }

    /// Sends the rest, and checks that all of it was received.
    async fn finish(self) {
        self.pieces.send(Bytes::from_static(b"bc")).unwrap();
        drop(self.pieces);
        let answer = self.answer.await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["connection"]), (200, &"close".parse().unwrap()));
        assert_eq!(answer.json::<Value>().await.unwrap()["bytes"], 3);
    }
}

async fn in_flight(pod: &UserPod, requests: u32) {
    eventually("the requests", || async {
        let sum: u32 = report(pod).await.1.iter().map(|session| session.in_flight_requests).sum();
        (sum == requests).then_some(())
    })
    .await;
}

#[tokio::test]
async fn requests_in_flight_of_sessions_that_moved_are_answered_by_the_pod_that_waits_for_them() {
    let redis = Redis::start().await;
    let mut old = pod("user-1", &redis, &[]).await;
    let new = pod("user-2", &redis, &[]).await;
    let (mut user, guest) = (User::of(&old).await, User::of(&new).await);
    let (own, of_guest) = (SlowUpload::begin(&user.person), SlowUpload::begin(&guest.person.at(&old.http)));
    in_flight(&old, 1).await;
    old.signal(Signal::SIGTERM);
    user.asked().await;
    user.moves_to(&new).await;
    becomes(&old, "active_sessions_total", 0.0).await;
    // Its user has gone: it waits for the request alone.
    old.line("0 users remaining").await;
    old.line("0 users remaining").await;
    assert!(!old.drain_log().iter().any(|line| line.contains("endpoint removal")), "{:?}", old.drain_log());
    assert_eq!(old.metric(&ends("moved")).await, 1.0);
    own.finish().await;
    is_empty(&old).await;
    of_guest.finish().await;
    assert_books(&old).await;
    assert!(old.wait().await.success());
    assert_books(&new).await;
    assert_eq!(new.metric("active_sessions_total").await, 2.0);
}

#[tokio::test]
async fn a_session_with_work_in_progress_is_asked_last_and_its_work_is_waited_for_where_it_began() {
    let redis = Redis::start().await;
    let mut old = pod("user-1", &redis, &[("HANDOFF_RATE", "1"), ("TASK_GRACE", "60s")]).await;
    let new = pod("user-2", &redis, &[]).await;
    let mut works = User::of(&old).await;
    let mut idle = [User::of(&old).await, User::of(&old).await];
    let begun = works.person.post("/tasks").json(&serde_json::json!({ "kind": "call" })).send().await.unwrap();
    let task = begun.json::<Value>().await.unwrap()["task_id"].as_str().unwrap().to_owned();
    old.signal(Signal::SIGTERM);
    let mut asks = Vec::new();
    for user in &mut idle {
        asks.push(remaining(&user.asked().await));
        user.moves_to(&new).await;
    }
    let last = remaining(&works.asked().await);
    assert!(asks.iter().all(|ask| *ask >= last), "{asks:?}, then {last}");
    works.moves_to(&new).await;
    old.line("for 1 session with work in progress...").await;
    assert_eq!(old.metric(&ends("moved")).await, 3.0);
    assert_books(&old).await;
    assert!(!old.drain_log().iter().any(|line| line.contains("endpoint removal")));
    let end = works.person.delete(&format!("/tasks/{task}")).send().await.unwrap();
    assert_eq!(end.status(), 204, "through the pod where the session lives");
    is_empty(&old).await;
    assert_eq!(old.metric("lastcall_tasks_total{outcome=\"done\"}").await, 1.0);
    assert!(old.wait().await.success());
    assert_books(&new).await;
}
