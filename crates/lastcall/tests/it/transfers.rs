//! Uploads and downloads in a drain, with an app on a server of its own.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt as _};
use lastcall::{Lastcall, PodName, Session, Signal};
use reqwest::Response;
use test_support::{Person, TEST_TIMEOUT};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::own_server::{serve, start};

const PIECE: Bytes = Bytes::from_static(&[b'x'; 2048]);

struct App {
    lastcall: Lastcall,
    host: String,
    signals: mpsc::UnboundedSender<Signal>,
}

/// An app with an upload that counts bytes, and a download without an end.
async fn app(drain_timeout: Duration, task_grace: Duration) -> App {
    let lastcall = Lastcall::builder(PodName::new("files").unwrap())
        .config(|config| (config.policy.drain_timeout, config.policy.task_grace) = (drain_timeout, task_grace))
        .build();
    let signals = start(&lastcall);
    let upload = async |_: Session, body: Body| {
        let mut data = body.into_data_stream();
        let mut bytes = 0;
        while let Some(piece) = data.next().await {
            bytes += piece.map_err(|error| (axum::http::StatusCode::BAD_REQUEST, error.to_string()))?.len();
        }
        Ok::<_, (axum::http::StatusCode, String)>(bytes.to_string())
    };
    let download = async |_: Session| Body::from_stream(trickle());
    // Reads the order, and answers when the session has ended.
    let order = async |session: Session, order: Bytes| {
        let mut notices = session.notices();
        while !notices.has_ended() {
            notices.changed().await;
        }
        format!("{} bytes ordered", order.len())
    };
    let answers = async |_: Session, _: Bytes| ([("content-type", "text/event-stream")], Body::from_stream(trickle()));
    let routes = Router::new()
        .route("/", get(async |session: Session| session.id().to_string()))
        .route("/upload", post(upload))
        .route("/download", get(download))
        .route("/order", post(order))
        .route("/answers", post(answers))
        .layer(lastcall.layer())
        .merge(lastcall.routes());
    let (host, _) = serve(&lastcall, routes).await;
    App { lastcall, host, signals }
}

/// 10 KiB/s without an end.
fn trickle() -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Some((Ok(PIECE), ()))
    })
}

/// Begins an upload, which ends when the sender is dropped. 8 KiB of it have been sent when this returns.
fn upload(person: &Person) -> (mpsc::UnboundedSender<Bytes>, JoinHandle<Response>) {
    let (pieces, mut sent) = mpsc::unbounded_channel::<Bytes>();
    let body = futures_util::stream::poll_fn(move |context| sent.poll_recv(context)).map(Ok::<_, std::io::Error>);
    (0..4).for_each(|_| pieces.send(PIECE).unwrap());
    let request = person.post("/upload").body(reqwest::Body::wrap_stream(body));
    (pieces, tokio::spawn(async move { request.send().await.unwrap() }))
}

impl App {
    async fn person(&self) -> Person {
        Person::new(&self.host).visit().await
    }

    fn terminate(&self) {
        self.signals.send(Signal::Term).unwrap();
    }

    fn metric(&self, name: &str) -> String {
        let text = self.lastcall.render_metrics();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} is missing in {text}")).split(' ').nth(1).unwrap().to_owned()
    }

    /// Waits until as many sessions are protected.
    async fn protected(&self, sessions: &str) {
        let reached = async {
            while self.metric("lastcall_sessions_protected") != sessions {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, reached).await.unwrap();
    }
}

#[tokio::test]
async fn an_upload_that_moves_at_the_deadline_is_finished_before_its_session_is_force_closed() {
    let app = app(Duration::from_secs(1), Duration::from_secs(600)).await;
    let (busy, idle) = (app.person().await, app.person().await);
    let (mut busy_events, mut idle_events) = (busy.events().await, idle.events().await);
    let (pieces, answer) = upload(&busy);
    app.protected("1").await;
    app.terminate();

    let (busy_notice, idle_notice) = (busy_events.next_named("drain").await, idle_events.next_named("drain").await);
    assert_eq!((&busy_notice.data["protected"], &busy_notice.data["grace_ms"]), (&true.into(), &600_000.into()));
    assert!(busy_notice.data["remaining_ms"].as_u64().unwrap() > 590_000, "its own deadline: {busy_notice:?}");
    assert!(idle_notice.data.get("protected").is_none() && idle_notice.data.get("grace_ms").is_none());
    assert_eq!(idle_events.next_named("session-ended").await.data["reason"], "forced");

    // The deadline has passed.
    assert_eq!(app.metric("forced_logouts_total"), "1");
    pieces.send(PIECE).unwrap();
    drop(pieces);
    let answer = answer.await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, "10240".to_owned()));
    assert_eq!(busy_events.next_named("session-ended").await.data["reason"], "forced");
    assert_eq!(app.metric("lastcall_requests_cut_total"), "0");
    app.lastcall.finish().await.unwrap();
}

#[tokio::test]
async fn a_stalled_upload_is_not_waited_for() {
    let app = app(Duration::from_secs(1), Duration::from_secs(600)).await;
    let person = app.person().await;
    let mut events = person.events().await;
    let (_pieces, answer) = upload(&person);
    app.protected("1").await;
    app.terminate();
    assert_eq!(events.next_named("drain").await.data["protected"], true);
    let notice = events.next_named("drain").await;
    assert!(notice.data.get("protected").is_none(), "it stopped moving five seconds ago: {notice:?}");
    assert_eq!(events.next_named("session-ended").await.data["reason"], "forced");
    let answer = answer.await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["title"], "Upload cut off");
    assert_eq!(app.metric("lastcall_requests_cut_total"), "1");
    app.lastcall.finish().await.unwrap();
}

#[tokio::test]
async fn without_a_grace_uploads_and_downloads_are_cut_at_the_deadline() {
    let app = app(Duration::from_secs(1), Duration::ZERO).await;
    let (up, down) = (app.person().await, app.person().await);
    let (_pieces, answer) = upload(&up);
    let mut download = down.get("/download").await.bytes_stream();
    assert!(download.next().await.unwrap().is_ok());
    app.protected("2").await;
    app.terminate();
    assert_eq!(answer.await.unwrap().status().as_u16(), 503);
    while let Some(Ok(_)) = download.next().await {}
    assert_eq!(app.metric("lastcall_requests_cut_total"), "2");
    assert_eq!(app.metric("lastcall_sessions_protected"), "0");
    app.lastcall.finish().await.unwrap();
}

#[tokio::test]
async fn small_requests_and_event_streams_protect_nothing() {
    let app = app(Duration::from_secs(1), Duration::from_secs(600)).await;
    let person = app.person().await;
    let _events = person.events().await;
    for _ in 0..20 {
        assert_eq!(person.post("/upload").body("x".repeat(1024)).send().await.unwrap().status().as_u16(), 200);
    }
    assert_eq!(app.metric("lastcall_sessions_protected"), "0");
}

#[tokio::test]
async fn a_request_whose_body_has_arrived_is_answered_after_the_forced_end() {
    let app = app(Duration::from_secs(1), Duration::ZERO).await;
    let person = app.person().await;
    let mut events = person.events().await;
    let request = person.post("/order").body(vec![b'x'; 8 * 1024]);
    let answer = tokio::spawn(async move { request.send().await.unwrap() });
    app.protected("1").await;
    app.terminate();
    assert_eq!(events.next_named("session-ended").await.data["reason"], "forced");
    let answer = answer.await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, "8192 bytes ordered".to_owned()));
    assert_eq!(app.metric("lastcall_requests_cut_total"), "0");
}

#[tokio::test]
async fn an_event_stream_that_answers_a_post_protects_nothing() {
    let app = app(Duration::from_secs(1), Duration::from_secs(600)).await;
    let person = app.person().await;
    let mut answers = person.post("/answers").body(vec![b'x'; 6 * 1024]).send().await.unwrap().bytes_stream();
    for _ in 0..3 {
        assert!(answers.next().await.unwrap().is_ok());
    }
    app.protected("0").await;
}
