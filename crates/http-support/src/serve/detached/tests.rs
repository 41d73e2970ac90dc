use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::Stream;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::super::detachable_body::DetachableSource;
use super::super::{CloseAfterAnswer, ConnectionSettings, Connections, serve};
use crate::sse;

const STREAM: &str = "GET /events HTTP/1.1\r\nhost: a\r\n\r\n";

/// A server whose `/events` has the events that a test sends.
struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    closing: CloseAfterAnswer,
    serving: JoinHandle<()>,
    /// The sources of the streams that were opened.
    sources: Arc<Mutex<Vec<DetachableSource>>>,
    /// The senders of their events.
    senders: mpsc::UnboundedReceiver<mpsc::UnboundedSender<Bytes>>,
}

/// The events of a stream.
struct Events(mpsc::UnboundedReceiver<Bytes>);

impl Stream for Events {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.poll_recv(context)
    }
}

impl Server {
    async fn start() -> Self {
        let (opened, senders) = mpsc::unbounded_channel();
        let sources = Arc::new(Mutex::new(Vec::new()));
        let (listed, ordinary) = (Arc::clone(&sources), opened.clone());
        let open = move || {
            let (sender, events) = mpsc::unbounded_channel();
            opened.send(sender).unwrap();
            let response = sse::stream(Events(events));
            listed.lock().unwrap().push(response.extensions().get::<DetachableSource>().unwrap().clone());
            std::future::ready(response)
        };
        // As an event stream that never leaves hyper.
        let open_ordinary = move || {
            let (sender, events) = mpsc::unbounded_channel();
            ordinary.send(sender).unwrap();
            let events = futures_util::StreamExt::map(Events(events), Ok::<_, std::convert::Infallible>);
            std::future::ready(sse::response(Body::from_stream(events)))
        };
        let routes = Router::new()
            .route("/events", get(open.clone()).post(open))
            .route("/ordinary", get(open_ordinary))
            .route("/", get(async || "next").merge(post(async || "next")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, closing) = (CancellationToken::new(), CloseAfterAnswer::default());
        let settings = ConnectionSettings::new(Duration::from_secs(15)).with_close_after_answer(closing.clone());
        let serving = tokio::spawn(serve(listener, routes, stop.clone(), settings, Connections::at_most(100)));
        Self { address, stop, closing, serving, sources, senders }
    }

    /// Sends a request for a stream, and returns the connection and the sender of its events, of which one was received.
    async fn open(&mut self, request: &str) -> (TcpStream, mpsc::UnboundedSender<Bytes>, String) {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let sender = self.senders.recv().await.unwrap();
        sender.send(Bytes::from_static(b"first\n\n")).unwrap();
        let begin = read_until(&mut client, "first\n\n").await;
        (client, sender, begin)
    }

    /// Waits until the last stream that was opened has left hyper: nothing of its response remains but what the test holds.
    async fn has_left(&self) {
        let is_left = || self.sources.lock().unwrap().last().unwrap().holders() == 1;
        timeout(Duration::from_secs(10), async {
            while !is_left() {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("the stream leaves hyper");
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(Duration::from_secs(10), self.serving).await.expect("the server ends").unwrap();
    }
}

async fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(10), async {
        while !bytes.windows(end.len()).any(|window| window == end.as_bytes()) {
            let mut byte = [0; 4096];
            let count = client.read(&mut byte).await.unwrap();
            assert!(count > 0, "the connection ended: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&byte[..count]);
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{end:?} never came"));
    String::from_utf8(bytes).unwrap()
}

/// What comes until the server closes.
async fn rest(client: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    timeout(Duration::from_secs(10), client.read_to_end(&mut rest)).await.expect("the server closes").unwrap();
    String::from_utf8(rest).unwrap()
}

/// Without the date, which may differ.
fn undated(answer: &str) -> String {
    answer.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_bytes_are_those_of_hyper_and_the_connection_takes_another_request() {
    let mut server = Server::start().await;
    let mut answers = Vec::new();
    for path in ["events", "ordinary"] {
        let request = format!("GET /{path} HTTP/1.1\r\nhost: a\r\n\r\n");
        let (mut client, sender, mut answer) = server.open(&request).await;
        if path == "events" {
            server.has_left().await;
        }
        for event in [Bytes::from_static(b"second\n\n"), Bytes::new(), Bytes::from(vec![b'x'; 300_000])] {
            sender.send(event).unwrap();
        }
        drop(sender);
        answer += &read_until(&mut client, "\r\n0\r\n\r\n").await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        answer += &read_until(&mut client, "next").await;
        answers.push(undated(&answer));
    }
    assert!(
        answers[0].contains("transfer-encoding: chunked") && answers[0].contains("\n493E0\n"),
        "chunks of HTTP/1.1"
    );
    assert!(answers[0] == answers[1], "both ways give the same bytes");
    server.end().await;
}

#[tokio::test]
async fn what_the_client_sends_meanwhile_is_answered_after_the_stream() {
    let mut server = Server::start().await;
    let next = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    // Together with the request for the stream, during the stream, and both.
    for (with_it, during) in [(true, false), (false, true), (true, true)] {
        let request = if with_it { format!("{STREAM}{next}") } else { STREAM.to_owned() };
        let (mut client, sender, _) = server.open(&request).await;
        server.has_left().await;
        if during {
            client.write_all(next.as_bytes()).await.unwrap();
        }
        for _ in 0..2 {
            sender.send(Bytes::from_static(b"more\n\n")).unwrap();
            let more = read_until(&mut client, "more\n\n").await;
            assert!(!more.contains("next"), "the stream goes on: {more}");
        }
        drop(sender);
        for _ in 0..usize::from(with_it) + usize::from(during) {
            let mut answer = [0; 4];
            let head = read_head(&mut client).await;
            assert!(head.contains("HTTP/1.1 200 OK"), "{head}");
            client.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"next", "with it {with_it}, during {during}");
        }
    }
    server.end().await;
}

/// The last chunk, if it has not come yet, and the head of the next answer.
async fn read_head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    timeout(Duration::from_secs(10), async {
        while !head.ends_with(b"\r\n\r\n") || head.ends_with(b"0\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
    })
    .await
    .expect("the next request is answered");
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_stream_ends_with_its_client_however_that_goes() {
    let mut server = Server::start().await;
    for (ending, sends_before) in [("half-closes", false), ("half-closes", true), ("closes", true), ("resets", true)] {
        let (mut client, sender, _) = server.open(STREAM).await;
        server.has_left().await;
        if sends_before {
            // Not read by the server, and must not hide the end.
            client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        }
        match ending {
            "half-closes" => client.shutdown().await.unwrap(),
            "closes" => drop(client),
            _ => {
                SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
                drop(client);
            }
        }
        // Without anything being sent.
        timeout(Duration::from_secs(10), sender.closed()).await.unwrap_or_else(|_| panic!("{ending}, {sends_before}"));
    }
    server.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_source_back_and_loses_nothing() {
    const EVENTS: usize = 2_000;
    let mut server = Server::start().await;
    let (mut client, sender, _) = server.open(STREAM).await;
    server.has_left().await;
    let event = Bytes::from(vec![b'x'; 10_000]);
    let queue = sender.clone();
    for _ in 0..EVENTS {
        queue.send(event.clone()).unwrap();
    }
    // Another stream shows that the server has had its turn.
    let (mut other, other_sender, _) = server.open(STREAM).await;
    for _ in 0..20 {
        other_sender.send(Bytes::from_static(b"turn\n\n")).unwrap();
        read_until(&mut other, "turn\n\n").await;
    }
    assert!(!event.is_unique(), "events wait in the queue");
    drop((queue, sender, other_sender));
    let mut received = Vec::new();
    timeout(Duration::from_secs(20), async {
        let mut buffer = vec![0; 64 * 1024];
        while !received.ends_with(b"\r\n0\r\n\r\n") {
            let count = client.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the connection ended");
            received.extend_from_slice(&buffer[..count]);
        }
    })
    .await
    .expect("everything comes");
    assert_eq!(received.len(), EVENTS * (10_000 + "2710\r\n\r\n".len()) + "0\r\n\r\n".len());
    server.end().await;
}

#[tokio::test]
async fn a_connection_closes_after_its_stream_where_either_side_wants_it() {
    let mut server = Server::start().await;
    let closed = "GET /events HTTP/1.1\r\nhost: a\r\nconnection: x, Close\r\n\r\n";
    let (mut client, sender, begin) = server.open(closed).await;
    server.has_left().await;
    assert!(begin.contains("connection: close"), "{begin}");
    drop(sender);
    assert_eq!(rest(&mut client).await, "0\r\n\r\n");

    let (mut client, sender, _) = server.open(STREAM).await;
    let (mut sending, sending_sender, _) = server.open(STREAM).await;
    server.has_left().await;
    // A request that comes too late: its bytes must not reset the connection before the last event was read.
    sending.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.closing.begin();
    for (sender, client) in [(sender, &mut client), (sending_sender, &mut sending)] {
        sender.send(Bytes::from_static(b"last\n\n")).unwrap();
        drop(sender);
        assert_eq!(rest(client).await, "6\r\nlast\n\n\r\n0\r\n\r\n");
    }
    server.end().await;
}

#[tokio::test]
async fn a_server_that_stops_waits_for_its_streams_and_closes_their_connections() {
    let mut server = Server::start().await;
    let (mut detached, sender, _) = server.open(STREAM).await;
    server.has_left().await;
    let (mut idle, ended, _) = server.open(STREAM).await;
    server.has_left().await;
    drop(ended);
    read_until(&mut idle, "0\r\n\r\n").await;
    server.stop.cancel();
    assert_eq!(rest(&mut idle).await, "", "idle after its stream");
    sender.send(Bytes::from_static(b"last\n\n")).unwrap();
    read_until(&mut detached, "last\n\n").await;
    assert!(!server.serving.is_finished());
    drop(sender);
    assert_eq!(rest(&mut detached).await, "0\r\n\r\n");
    server.end().await;
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_its_streams() {
    let mut server = Server::start().await;
    let (mut client, sender, _) = server.open(STREAM).await;
    server.has_left().await;
    server.serving.abort();
    assert_eq!(rest(&mut client).await, "");
    timeout(Duration::from_secs(10), sender.closed()).await.expect("the stream is dropped");
}

#[tokio::test]
async fn only_a_complete_get_of_http_1_1_leaves_hyper() {
    let mut server = Server::start().await;
    for request in [
        "GET /events HTTP/1.0\r\nhost: a\r\n\r\n",
        "POST /events HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        // The rest of the body would be taken for a request.
        "GET /events HTTP/1.1\r\nhost: a\r\ncontent-length: 40\r\n\r\nGET / HTTP/1.1\r\n",
        "GET /events HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let (mut client, sender, begin) = server.open(request).await;
        let is_chunked = begin.contains("transfer-encoding: chunked");
        assert_eq!(is_chunked, request.contains("HTTP/1.1"), "{begin}");
        sender.send(Bytes::from_static(b"last\n\n")).unwrap();
        read_until(&mut client, "last\n\n").await;
        assert!(server.sources.lock().unwrap().last().unwrap().holders() > 1, "{request}");
        drop(sender);
    }
    server.end().await;
}
