//! Uploads, exports and chats of several users in the drain of one pod.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::StreamExt as _;
use reqwest::Response;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use test_support::{Event, Events, Haproxy, Person, Redis, Signal, UserPod, eventually};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use super::{BINARY, QUICK, pod};

/// 200 pieces are the 20 MB that are uploaded.
const PIECES: usize = 200;
const PIECE: usize = 100_000;

/// An upload that goes on when the test says so.
struct Upload {
    pieces: mpsc::UnboundedSender<Bytes>,
    sha256: Sha256,
    sent: usize,
    answer: JoinHandle<Response>,
}

impl Upload {
    fn begin(person: &Person) -> Self {
        let (pieces, mut sent) = mpsc::unbounded_channel::<Bytes>();
        let body = futures_util::stream::poll_fn(move |context| sent.poll_recv(context)).map(Ok::<_, std::io::Error>);
        let request = person.post("/uploads").body(reqwest::Body::wrap_stream(body));
        let answer = tokio::spawn(async move { request.send().await.unwrap() });
        Self { pieces, sha256: Sha256::new(), sent: 0, answer }
    }

    fn send(&mut self, pieces: usize) {
        for _ in 0..pieces {
            let piece: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(PIECE).collect();
            self.sha256.update(&piece);
            self.sent += piece.len();
            // The request may have been cut.
            let _ = self.pieces.send(piece.into());
        }
    }

    /// Sends what is missing, and compares what the server has received.
    async fn finish(mut self) {
        self.send(PIECES - self.sent / PIECE);
        let (bytes, sha256) = (self.sent, format!("{:x}", self.sha256.finalize()));
        drop(self.pieces);
        let answer = self.answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        let received: Value = answer.json().await.unwrap();
        assert_eq!(received, serde_json::json!({ "bytes": bytes, "sha256": sha256 }));
    }
}

/// Four users: an upload, an export, a chat, and one who only reads.
struct Scene {
    pod: UserPod,
    upload: Upload,
    exporter: Person,
    chat: test_support::Socket,
    streams: [Events; 3],
}

/// Everything is in progress when this returns.
async fn scene(task_grace: &str) -> Scene {
    let pod = pod(&[("DRAIN_TIMEOUT", "2s"), ("TASK_GRACE", task_grace), ("PROPAGATION_WAIT", "2s")]).await;
    let [uploader, exporter, chatter, reader] = [
        pod.person().visit().await,
        pod.person().visit().await,
        pod.person().visit().await,
        pod.person().visit().await,
    ];
    let streams = [uploader.events().await, exporter.events().await, reader.events().await];
    let chat = chatter.websocket("/chat").await;
    let export = exporter.post("/exports?rounds=20000").body("my notes").send().await.unwrap();
    assert_eq!(export.status(), 201);
    let mut upload = Upload::begin(&uploader);
    upload.send(PIECES / 4);
    eventually("two sessions with work", || async {
        (pod.metric("lastcall_sessions_protected").await == 2.0).then_some(())
    })
    .await;
    Scene { pod, upload, exporter, chat, streams }
}

async fn drain(events: &mut Events) -> Event {
    events.next_named("drain").await
}

/// Waits for the Close frame, and gives its code.
async fn close_code(chat: &mut test_support::Socket) -> u16 {
    loop {
        match chat.next().await {
            Some(Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
            Some(_) => {}
            None => panic!("the socket was cut without a Close frame"),
        }
    }
}

#[tokio::test]
async fn uploads_and_exports_are_finished_after_the_deadline_and_chats_are_closed_before_it() {
    let Scene { mut pod, mut upload, exporter, mut chat, mut streams } = scene("120s").await;
    pod.signal(Signal::SIGTERM);
    let [uploads, exports, reads] = &mut streams;
    for events in [uploads, exports] {
        let notice = drain(events).await;
        assert_eq!(notice.data["protected"], true, "{notice:?}");
        assert!(notice.data["remaining_ms"].as_u64().unwrap() > 110_000, "{notice:?}");
    }
    assert!(drain(reads).await.data.get("protected").is_none());
    assert_eq!(close_code(&mut chat).await, 1012);
    assert_eq!(reads.next_named("session-ended").await.data["reason"], "forced");
    pod.line("Waiting up to 120s for 2 sessions with work in progress...").await;
    // The upload moves on while the export is waited for.
    let export = eventually("the export", || {
        upload.send(1);
        async {
            let exports: Value = exporter.get("/exports").await.json().await.unwrap();
            let export = &exports["exports"][0];
            (export["state"] == "done").then(|| export.clone())
        }
    })
    .await;
    let file = exporter.get(&format!("/exports/{}", export["export_id"].as_str().unwrap())).await;
    assert_eq!(file.status(), 200);
    assert!(file.text().await.unwrap().contains("my notes"));
    eventually("the end of the task", || async {
        (pod.metric("lastcall_tasks_total{outcome=\"done\"}").await == 1.0).then_some(())
    })
    .await;
    upload.finish().await;
    pod.line("Waiting 2s for endpoint removal to propagate...").await;
    assert_eq!(pod.metric("lastcall_requests_cut_total").await, 0.0);
    assert_eq!(pod.metric("lastcall_tasks_total{outcome=\"cut\"}").await, 0.0);
    assert!(pod.wait().await.success());
    let log = pod.log().join("\n");
    let order = [
        "Received SIGTERM signal",
        "4 active users detected",
        "Force-closing 2 remaining sessions...",
        "Waiting up to 120s for 2 sessions with work in progress...",
        "Force-closing 2 remaining sessions...",
        "Waiting 2s for endpoint removal to propagate...",
        "Shutting down cleanly...",
    ];
    let mut rest = log.as_str();
    for line in order {
        let (_, after) = rest.split_once(line).unwrap_or_else(|| panic!("{line:?} is missing or too early in\n{log}"));
        rest = after;
    }
}

#[tokio::test]
async fn without_a_grace_work_is_cut_at_the_deadline_and_users_and_operators_are_told() {
    let Scene { mut pod, upload, streams, .. } = scene("0s").await;
    pod.signal(Signal::SIGTERM);
    let [mut uploads, mut exports, _] = streams;
    for events in [&mut uploads, &mut exports] {
        let notice = drain(events).await;
        assert_eq!((&notice.data["protected"], &notice.data["grace_ms"]), (&true.into(), &0.into()), "{notice:?}");
        assert!(notice.data["remaining_ms"].as_u64().unwrap() <= 2_000, "{notice:?}");
        assert_eq!(events.next_named("session-ended").await.data["reason"], "forced");
    }
    let Upload { answer, pieces, .. } = upload;
    let answer = answer.await.unwrap();
    drop(pieces);
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["title"], "Upload cut off");
    pod.line("Waiting 2s for endpoint removal to propagate...").await;
    assert_eq!(pod.metric("lastcall_requests_cut_total").await, 1.0);
    assert_eq!(pod.metric("lastcall_tasks_total{outcome=\"cut\"}").await, 1.0);
    assert!(tokio::time::timeout(Duration::from_secs(30), pod.wait()).await.unwrap().success());
    let log = pod.log().join("\n");
    assert!(log.contains("requests.cut=1"), "{log}");
    assert!(!log.contains("Waiting up to"), "{log}");
}

/// Whether every session of the pod that began is counted as active or ended.
async fn books_balance(pod: &UserPod) -> bool {
    let outcomes = ["logout", "auto_logout", "forced", "expired", "moved"];
    let mut ended = 0.0;
    for outcome in outcomes {
        ended += pod.metric(&format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}")).await;
    }
    let begun = pod.metric("total_logins").await + pod.metric("lastcall_sessions_adopted_total").await;
    begun == pod.metric("active_sessions_total").await + ended
}

/// Behind a proxy that routes as a Service does: connections that are open stay at their pod, and new ones go to the other pod.
#[tokio::test]
async fn an_upload_and_a_task_are_finished_on_the_pod_that_holds_them_while_their_session_moves() {
    let (redis, proxy) = (Redis::start().await, Haproxy::with_slots(2).await);
    let url = redis.url();
    let sharing =
        [("REDIS_URL", url.as_str()), ("SESSION_KEY", "shared"), ("DRAIN_TIMEOUT", "60s"), ("TASK_GRACE", "60s")];
    let options = [&QUICK[..], &sharing].concat();
    let (mut first, second) =
        (UserPod::start(BINARY, "user-1", &options).await, UserPod::start(BINARY, "user-2", &options).await);
    proxy.serve(0, &first.http).await;
    let page = reqwest::get(proxy.url("/")).await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let here = Person::new(&proxy.address).with_cookie(&cookie);
    let mut stream = here.events().await;
    let begun = here.post("/tasks").json(&serde_json::json!({ "kind": "export", "lease_seconds": 600 })).send().await;
    let task = begun.unwrap().headers()["location"].to_str().unwrap().to_owned();
    let mut upload = Upload::begin(&here);
    upload.send(PIECES / 4);

    // The pod of the upload drains, and the page opens its stream again.
    proxy.serve(1, &second.http).await;
    proxy.drain(0).await;
    first.signal(Signal::SIGTERM);
    let notice = drain(&mut stream).await;
    assert_eq!(notice.data["protected"], true, "{notice:?}");
    let there = Person::new(&proxy.address).with_cookie(&cookie);
    let _moved = there.events().await;
    assert_eq!(there.session().await["pod"], "user-2");
    first.line("Waiting up to").await;
    assert_eq!(first.metric("lastcall_session_ends_total{outcome=\"moved\"}").await, 1.0);
    let renewed = there.put(&task).json(&serde_json::json!({ "progress": 0.5 })).send().await.unwrap();
    assert_eq!(renewed.status(), 200);
    upload.send(1);
    assert!(books_balance(&first).await && books_balance(&second).await);

    // The first pod waits for both.
    upload.finish().await;
    eventually("the upload is over, and the task is not", || async {
        (first.metric("lastcall_tasks_active").await == 1.0).then_some(())
    })
    .await;
    assert_eq!(there.delete(&task).send().await.unwrap().status(), 204);
    assert!(first.wait().await.success());
    let log = first.drain_log().join("\n");
    assert!(!log.contains("Force-closing"), "{log}");
    assert_eq!(there.session().await["pod"], "user-2");
}
