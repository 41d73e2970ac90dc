//! An app that is away, or answers what cannot be passed on.

use test_support::{RawAnswer, RawApp};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{answer, exchange, in_front_of, metric};

#[tokio::test]
async fn an_app_that_gives_no_answer_gets_a_waiting_page_and_a_log_line() {
    let fields: String = (0..10_000).map(|number| format!("X-{number}: 1\r\n")).collect();
    let app = RawApp::start(move |request, _| match request.split(' ').nth(1).unwrap_or_default() {
        "/garbage" => RawAnswer::Close(b"garbage\r\n\r\n".to_vec()),
        "/fields" => RawAnswer::Close(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes()),
        "/closed" => RawAnswer::Close(Vec::new()),
        "/switched" => RawAnswer::Keep(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".to_vec()),
        "/coding" => RawAnswer::Close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n".to_vec()),
        "/cut" => RawAnswer::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok".to_vec()),
        _ => answer("", ""),
    })
    .await;
    let pod = in_front_of(&app, &[]).await;
    for path in ["garbage", "fields", "closed", "switched", "coding"] {
        let answered = pod.person().get(&format!("/{path}")).await;
        assert_eq!(answered.status(), 502, "{path}");
        assert_eq!(answered.headers()["retry-after"], "1", "{path}");
        assert_eq!(answered.headers()["content-type"], "application/problem+json", "{path}");
    }
    let page = pod.person().request("/garbage").header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 502);
    assert!(!page.headers().contains_key("set-cookie"), "{:?}", page.headers());
    assert!(metric(&pod, "active_sessions_total").await.abs() < f64::EPSILON, "a drain would wait for that user");
    assert!(page.text().await.unwrap().contains("/_lastcall/assets/lastcall-again.js"));
    pod.line("the app did not answer a request").await;
    let cut = exchange(&pod, "GET /cut HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(cut.ends_with("\r\n\r\nok"), "{cut}");
    pod.line("in the middle of an answer").await;
}

#[tokio::test]
async fn a_request_is_repeated_once_on_a_reused_connection_that_closed_and_a_post_is_not() {
    let app =
        RawApp::start(|_, number| if number == 0 { answer("", "first") } else { RawAnswer::Close(Vec::new()) }).await;
    let pod = in_front_of(&app, &[("UPSTREAM_IDLE_TIMEOUT", "1m")]).await;
    let person = pod.person();
    assert_eq!(person.status("/one").await, 200);
    assert_eq!(person.status("/two").await, 200, "repeated on a new connection");
    assert_eq!((app.requests().len(), app.connections()), (3, 2));
    assert_eq!(person.post("/three").send().await.unwrap().status(), 502, "on the reused one");
    assert_eq!((app.requests().len(), app.connections()), (4, 2));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request_to_the_app() {
    let app = RawApp::start(|_, _| RawAnswer::Hang).await;
    let pod = in_front_of(&app, &[]).await;
    let mut stream = TcpStream::connect(&pod.http).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    test_support::eventually("the request", || async { app.last().contains("/slow").then_some(()) }).await;
    let probes = app.connections();
    drop(stream);
    app.has_closed(probes).await;
}
