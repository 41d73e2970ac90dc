//! A server that asks a page to move, or just ends its streams, for ever: it is not flooded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use serde_json::json;
use test_support::Browser;
use tokio::net::TcpListener;
use tokio::time::Instant;

const SCRIPT: &str = include_str!("../../../assets/lastcall.js");

/// How long the pages are watched.
const WATCHED: Duration = Duration::from_secs(9);

/// What the streams send before they end.
const KINDS: [(&str, u64); 4] = [
    // The first stream, the first attempt, six retries, then one every two seconds.
    ("asks", 1 + 7 + 5),
    // The same, each time in another name.
    ("asks-in-other-names", 1 + 7 + 5),
    // It asks once, and ends every stream.
    ("asks-once", 1 + 7 + 5),
    // The back-off doubles its pauses.
    ("ends", 5),
];

type Opened = Arc<BTreeMap<&'static str, AtomicU64>>;

async fn events(State(opened): State<Opened>, Path(kind): Path<String>) -> impl IntoResponse {
    let number = opened[kind.as_str()].fetch_add(1, Ordering::SeqCst);
    let pod = if kind == "asks-in-other-names" { format!("pod-{number}") } else { "pod".to_owned() };
    let connected = json!({ "session_id": "1", "pod": pod, "server_time": "2026-01-01T00:00:00.000Z", "heartbeat_ms": 15_000, "drain": null });
    let mut body = format!("event: connected\ndata: {connected}\n\n");
    if kind.starts_with("asks") && (kind != "asks-once" || number == 0) {
        let ask = json!({ "reason": "shutdown", "remaining_ms": 60_000, "forced_logout_at": "2026-01-01T00:01:00.000Z", "server_time": "2026-01-01T00:00:00.000Z" });
        body += &format!("event: move\ndata: {ask}\n\n");
    }
    ([(header::CONTENT_TYPE, "text/event-stream")], body)
}

async fn session() -> impl IntoResponse {
    axum::Json(
        json!({ "session_id": "1", "user": "ada", "pod": "pod", "server_time": "2026-01-01T00:00:00.000Z", "drain": null }),
    )
}

#[tokio::test]
async fn a_server_that_ends_every_stream_is_asked_at_a_bounded_pace() {
    let opened: Opened = Arc::new(KINDS.map(|(kind, _)| (kind, AtomicU64::new(0))).into_iter().collect());
    let script = get(async || ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT));
    let page = get(async || Html("<!doctype html><title>Page</title><script src=assets/lastcall.js defer></script>"));
    let app = Router::new()
        .route("/{kind}/", page)
        .route("/{kind}/assets/lastcall.js", script)
        .route("/{kind}/events", get(events))
        .route("/{kind}/session", get(session))
        .with_state(Arc::clone(&opened));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let browser = Browser::open().await;
    let began = Instant::now();
    for (number, (kind, _)) in KINDS.iter().enumerate() {
        if number > 0 {
            // Windows stay visible. Each page is on a host of its own, so that none follows another.
            browser.new_window().await;
        }
        browser.go(&format!("http://{kind}.localhost:{port}/{kind}/")).await;
    }
    let watched = began.elapsed() + WATCHED;
    tokio::time::sleep_until(began + watched).await;
    for (kind, most) in KINDS {
        let count = opened[kind].load(Ordering::SeqCst);
        // The first page was open for longer.
        let more = (watched.as_secs() - WATCHED.as_secs()) / 2 + 1;
        assert!(count >= 3 && count <= most + more, "{kind}: {count}");
    }
    server.abort();
}
