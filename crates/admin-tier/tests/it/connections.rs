//! Connections of clients that are slow, send too much, or stay open at the shutdown.

use std::time::{Duration, Instant};

use test_support::{Events, Signal, TEST_TIMEOUT};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Admin;

const PODS: [&str; 1] = ["127.0.0.1:1"];

/// Waits until the other side has closed or reset the connection.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = timeout(TEST_TIMEOUT, stream.read_to_end(&mut rest)).await.expect("the connection stays open");
}

#[tokio::test]
async fn a_head_that_is_never_finished_is_cut_after_its_time_limit_and_other_requests_are_served() {
    let admin = Admin::start(&PODS).await;
    let start = Instant::now();
    let mut silent = TcpStream::connect(&admin.http).await.unwrap();
    silent.write_all(b"GET /health HTTP/1.1\r\nhost:").await.unwrap();
    let mut slow = TcpStream::connect(&admin.http).await.unwrap();
    let (mut read, mut write) = slow.split();
    let sending = async {
        for byte in b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ".iter().chain(std::iter::repeat(&b'x')) {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let cut = async {
        let mut rest = Vec::new();
        let _ = read.read_to_end(&mut rest).await;
    };
    assert_eq!(admin.person().status("/health").await, 200);
    tokio::select! {
        () = sending => {}
        () = cut => {}
        () = sleep(TEST_TIMEOUT) => panic!("an unfinished head has no time limit"),
    }
    closed(&mut silent).await;
    assert!(start.elapsed() >= Duration::from_secs(5), "a slow client has {:?} only", start.elapsed());
    assert_eq!(admin.person().status("/health").await, 200);
}

#[tokio::test]
async fn a_head_of_32_kib_is_read_and_a_larger_one_is_answered_with_431() {
    let admin = Admin::start(&PODS).await;
    for (bytes, status) in [(32_600, "200"), (33_000, "431"), (60_000, "431")] {
        let mut stream = TcpStream::connect(&admin.http).await.unwrap();
        let fields = format!("host: {}\r\nconnection: close\r\nx-large: {}\r\n", admin.http, "x".repeat(bytes));
        // The tier may answer and close before it has read everything.
        let _ = stream.write_all(format!("GET /health HTTP/1.1\r\n{fields}\r\n").as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), format!("HTTP/1.1 {status}"), "{bytes}");
    }
}

#[tokio::test]
async fn idle_connections_unfinished_heads_and_open_streams_end_in_time_at_the_shutdown() {
    let mut admin = Admin::start(&PODS).await;
    let mut new = TcpStream::connect(&admin.http).await.unwrap();
    let mut idle = TcpStream::connect(&admin.http).await.unwrap();
    idle.write_all(format!("GET /health HTTP/1.1\r\nhost: {}\r\n\r\n", admin.http).as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let mut unfinished = TcpStream::connect(&admin.http).await.unwrap();
    unfinished.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let stream = admin.person().request("/admin/events").header("accept", "text/event-stream").send().await.unwrap();
    let mut events = Events::new(stream);
    events.next_named("snapshot").await;

    let start = Instant::now();
    admin.signal(Signal::SIGTERM);
    assert_eq!(events.next_named("end").await.data["reason"], "stopping");
    assert_eq!(events.next_or_end().await, None);
    for connection in [&mut new, &mut idle, &mut unfinished] {
        closed(connection).await;
    }
    assert!(admin.process.wait().await.success());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
