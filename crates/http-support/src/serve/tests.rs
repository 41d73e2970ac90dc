use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_pipelined_head_that_never_ends_is_closed_by_the_limit_for_heads() {
    let (started, mut has_started) = mpsc::channel(1);
    let slow = move || async move {
        started.send(()).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        "done"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let stop = CancellationToken::new();
    let routes = Router::new().route("/", get(slow));
    let settings = ConnectionSettings::new(Duration::from_secs(15));
    let serving = tokio::spawn(serve(listener, routes, stop.clone(), settings, Connections::at_most(10)));

    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    has_started.recv().await.unwrap();
    client.write_all(b"GET /next HTTP/1.1\r\nhost: ").await.unwrap();
    let began = Instant::now();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(began.elapsed().as_secs(), 2 + 10);
    stop.cancel();
    serving.await.unwrap();
}

/// Sends a request on a kept-alive connection and reads the head of the response.
async fn head(client: &mut TcpStream, path: &str) -> String {
    client.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

async fn rest(client: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    String::from_utf8(rest).unwrap()
}

#[tokio::test]
async fn once_connections_close_after_answers_each_has_one_more_answer_and_running_responses_come_to_their_end() {
    let (pieces, receiver) = mpsc::unbounded_channel::<Result<Bytes, Infallible>>();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(receiver)));
    let download = move || {
        let mut receiver = body.lock().unwrap().take().unwrap();
        let pieces = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        std::future::ready(Response::new(Body::from_stream(pieces)))
    };
    let upgrade = || async {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(http::header::UPGRADE, http::HeaderValue::from_static("echo"));
        response
    };
    let routes =
        Router::new().route("/", get(async || "")).route("/download", get(download)).route("/upgrade", get(upgrade));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, closing) = (CancellationToken::new(), CloseAfterAnswer::default());
    let settings = ConnectionSettings::new(Duration::from_secs(15)).with_close_after_answer(closing.clone());
    let serving = tokio::spawn(serve(listener, routes, stop.clone(), settings, Connections::at_most(10)));
    let [mut kept, mut downloading, mut upgraded, mut unknown] = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];

    for client in [&mut kept, &mut unknown] {
        for _ in 0..2 {
            assert!(!head(client, "/").await.contains("connection: close"), "a connection is kept before");
        }
    }
    assert!(!head(&mut downloading, "/download").await.contains("connection: close"));
    closing.begin();
    for (client, path, status) in [(&mut kept, "/", "200"), (&mut unknown, "/unknown", "404")] {
        let head = head(client, path).await;
        assert!(head.contains(status) && head.contains("connection: close"), "{head}");
        assert_eq!(rest(client).await, "", "the server closes");
    }
    assert!(head(&mut upgraded, "/upgrade").await.contains("connection: upgrade"), "it has another protocol from here");
    pieces.send(Ok(Bytes::from_static(b"the first"))).unwrap();
    pieces.send(Ok(Bytes::from_static(b"the last"))).unwrap();
    drop(pieces);
    let download = rest(&mut downloading).await;
    assert!(download.contains("the first") && download.ends_with("the last\r\n0\r\n\r\n"), "{download:?}");
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_client_that_connected_just_before_the_stop_gets_its_first_answer_and_a_later_one_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let routes = Router::new().route("/", get(|| async { "served" }));
    let settings = ConnectionSettings::new(Duration::from_secs(15));
    // Waits to be accepted when the server stops.
    let mut queued = TcpStream::connect(address).await.unwrap();
    stop.cancel();
    let serving = tokio::spawn(serve(listener, routes, stop, settings, Connections::at_most(10)));
    assert!(head(&mut queued, "/").await.starts_with("http/1.1 200"));
    assert_eq!(rest(&mut queued).await, "served");
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}
