//! After the signal every answer closes its connection, so that the next request can reach another pod.

use test_support::{FrameKind, Http2, Redis, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// Sends a request on a kept-alive connection and reads the head of the answer, and its body where it has a length.
async fn ask(client: &mut TcpStream, request: &str, cookie: &str) -> String {
    let head = format!("{request} HTTP/1.1\r\nhost: pod\r\naccept: text/html\r\ncookie: {cookie}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.unwrap_or_else(|error| panic!("{request}: {error}")));
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    let length = answer.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).await.unwrap();
    answer
}

fn closes(answer: &str) -> bool {
    answer.contains("\r\nconnection: close\r\n")
}

#[tokio::test]
async fn after_the_signal_every_answer_of_http_1_closes_its_connection() {
    let redis = Redis::start().await;
    let old = pod("user-1", &redis, &[]).await;
    let page = old.person().get("/").await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut kept = TcpStream::connect(&old.http).await.unwrap();
    let mut streaming = TcpStream::connect(&old.http).await.unwrap();
    for _ in 0..2 {
        assert!(!closes(&ask(&mut kept, "GET /session", &cookie).await), "before");
    }
    assert!(!closes(&ask(&mut streaming, "GET /events", &cookie).await));
    old.signal(Signal::SIGTERM);
    old.line("Waiting 20s for users").await;
    let mut requests = vec![(kept, "GET /session", "200")];
    for (request, status) in [
        ("GET /", "200"),
        ("GET /events", "200"),
        ("GET /healthz", "200"),
        ("GET /ready", "503"),
        ("GET /metrics", "200"),
        ("GET /assets/lastcall.js", "200"),
        ("GET /unknown", "404"),
        ("PUT /session", "405"),
        ("POST /tasks", "201"),
        ("POST /logout", "200"),
        ("GET /session", "401"),
        ("GET / ", "503"),
    ] {
        requests.push((TcpStream::connect(&old.http).await.unwrap(), request, status));
    }
    for (mut client, request, status) in requests {
        // The last one is a newcomer.
        let answer = ask(&mut client, request.trim_end(), if request.ends_with(' ') { "" } else { &cookie }).await;
        assert!(answer.starts_with(&format!("http/1.1 {status} ")) && closes(&answer), "{request}: {answer}");
        if request != "GET /events" {
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
        }
    }
    // The logout ends the stream that was opened before: its connection takes no further request either.
    let mut rest = String::new();
    streaming.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("event: session-ended") && rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn after_the_signal_http_2_says_goaway_with_the_next_answer_and_its_streams_come_to_their_end() {
    let redis = Redis::start().await;
    let old = pod("user-1", &redis, &[("HANDOFF_DELAY", "2s")]).await;
    let new = pod("user-2", &redis, &[]).await;
    let person = old.person();
    let page = person.get("/").await;
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let mut client = Http2::connect(&old.http).await;
    let stream = client.get("/events", &cookie).await;
    let before = client.get("/session", &cookie).await;
    let mut seen = Vec::new();
    while !seen.iter().any(|(kind, id, _)| (*kind, *id) == (FrameKind::Headers, before)) {
        let frame = client.next().await.unwrap();
        assert_ne!(frame.kind, FrameKind::GoAway, "before the signal");
        seen.push((frame.kind, frame.stream, frame.ends_stream));
    }
    old.signal(Signal::SIGTERM);
    old.line("Waiting 20s for users").await;
    let after = client.get("/session", &cookie).await;
    let (mut goaways, mut status, mut events) = (Vec::new(), None, String::new());
    let mut moved = None;
    let mut stream_ended = false;
    while let Some(frame) = client.next().await {
        match frame.kind {
            FrameKind::GoAway => goaways.push(frame.last_stream()),
            FrameKind::Headers if frame.stream == after => status = frame.payload.first().copied(),
            FrameKind::Data if frame.stream == stream => {
                events.push_str(std::str::from_utf8(&frame.payload).unwrap());
                stream_ended |= frame.ends_stream;
            }
            FrameKind::Reset => panic!("a stream was cut: {frame:?}"),
            _ => {}
        }
        if events.contains("event: move") && moved.is_none() {
            assert!(!goaways.is_empty(), "with the answer, not with the ask");
            moved = Some(person.at(&new.http).events().await);
        }
    }
    // 0x88 is `:status: 200`. A graceful GOAWAY is sent in two parts, the second with the last stream that was served.
    assert_eq!((status, stream_ended), (Some(0x88), true), "{events}");
    assert!(goaways.len() <= 2 && goaways.last() == Some(&after), "{goaways:?}");
    is_empty(&old).await;
}
