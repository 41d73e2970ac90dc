//! Memory, connections, file descriptors and heads stay within limits for every input.

use std::time::{Duration, Instant};

use test_support::{Events, Process, TEST_TIMEOUT, UserPod, send_forms_byte_by_byte};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{BINARY, pod};

const MIB: u64 = 1024 * 1024;

/// Sends bytes and returns the first line of the answer.
async fn first_line(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    status_line(&mut stream).await
}

async fn status_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(timeout(TEST_TIMEOUT, stream.read_u8()).await.expect("no answer").unwrap());
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn a_form_sent_byte_by_byte_costs_no_more_memory_than_its_bytes() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    person.login("warm").await;
    let before = pod.memory_bytes();
    let head = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                transfer-encoding: chunked\r\n\r\n5\r\nuser=\r\n";
    let streams = send_forms_byte_by_byte(&pod.http, head).await;
    let grown = pod.memory_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB, "20,000 bytes cost {grown}");
    for mut stream in streams {
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        assert_eq!(status_line(&mut stream).await, "HTTP/1.1 303 See Other");
    }
}

#[tokio::test]
async fn an_unread_body_is_not_buffered() {
    let pod = pod(&[]).await;
    pod.person().visit().await;
    let before = pod.memory_bytes();
    let mut stream = TcpStream::connect(&pod.http).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 67108864\r\n\r\n").await.unwrap();
    let part = vec![b'x'; 65_536];
    for _ in 0..1_024 {
        if stream.write_all(&part).await.is_err() {
            break;
        }
    }
    let grown = pod.memory_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB, "64 unread MiB cost {grown}");
}

#[tokio::test]
async fn a_request_without_exactly_one_valid_host_is_refused() {
    let pod = pod(&[]).await;
    for (hosts, status) in [
        ("Host: a\r\n", "200 OK"),
        ("Host: [::1]:80\r\n", "200 OK"),
        ("", "400 Bad Request"),
        ("Host: a\r\nHost: a\r\n", "400 Bad Request"),
        ("Host: a\r\nHost: b\r\n", "400 Bad Request"),
        ("Host: a b\r\n", "400 Bad Request"),
        ("Host: a/b\r\n", "400 Bad Request"),
        ("Host:\r\n", "400 Bad Request"),
    ] {
        let request = format!("GET / HTTP/1.1\r\n{hosts}Accept: text/html\r\nConnection: close\r\n\r\n");
        assert_eq!(first_line(&pod.http, request.as_bytes()).await, format!("HTTP/1.1 {status}"), "{hosts:?}");
    }
    assert_eq!(first_line(&pod.http, b"GET /health HTTP/1.0\r\n\r\n").await, "HTTP/1.0 200 OK");
    assert_eq!(pod.metric("total_logins").await, 2.0, "a refused request starts no session");
}

#[tokio::test]
async fn streams_above_the_limit_are_refused_with_retry_after() {
    let pod = pod(&[("MAX_STREAMS", "2")]).await;
    let people = [pod.person().visit().await, pod.person().visit().await];
    let first = people[0].events().await;
    let _second = people[1].events().await;
    let refused = people[1].get("/events").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    drop(first);
    test_support::eventually("a free stream", || people[1].try_events()).await;
    let line = pod.line("bounds of this pod").await;
    assert!(line.contains("streams.max=2") && line.contains("sessions.max="), "{line}");
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_the_keep_alive_timeout() {
    let pod = pod(&[("KEEP_ALIVE_TIMEOUT", "1s")]).await;
    let mut stream = TcpStream::connect(&pod.http).await.unwrap();
    let began = Instant::now();
    for _ in 0..2 {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert_eq!(status_line(&mut stream).await, "HTTP/1.1 200 OK");
        let mut rest = [0; 4096];
        assert!(stream.read(&mut rest).await.unwrap() > 0);
    }
    let mut rest = Vec::new();
    timeout(TEST_TIMEOUT, stream.read_to_end(&mut rest)).await.expect("kept for ever").unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_connection_that_is_being_served_is_not_idle_in_either_version_of_http() {
    let pod = pod(&[("KEEP_ALIVE_TIMEOUT", "300ms"), ("HEARTBEAT_INTERVAL", "100ms")]).await;
    let prior_knowledge = reqwest::Client::builder().cookie_store(true).http2_prior_knowledge();
    for client in [reqwest::Client::builder().cookie_store(true), prior_knowledge] {
        let client = client.build().unwrap();
        assert_eq!(client.get(pod.url("/")).send().await.unwrap().status(), 200);
        let began = Instant::now();
        let mut events = Events::new(client.get(pod.url("/events")).send().await.unwrap());
        while began.elapsed() < Duration::from_secs(1) {
            events.next().await;
        }
    }
}

#[tokio::test]
async fn when_file_descriptors_run_short_the_longest_idle_connections_close_and_new_ones_are_served() {
    let pod = UserPod::start_limited(BINARY, "user-1", 200, &crate::QUICK).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(TcpStream::connect(&pod.http).await.unwrap());
    }
    assert_eq!(pod.person().visit().await.status("/session").await, 200);
    let mut byte = [0];
    let oldest = timeout(TEST_TIMEOUT, idle[0].read(&mut byte)).await.expect("the oldest is kept");
    assert!(matches!(oldest, Ok(0) | Err(_)));
    let newest = idle.last_mut().unwrap();
    newest.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(status_line(newest).await, "HTTP/1.1 200 OK");
    person.login("ada").await;
    stream.next_named("connected").await;
}

#[tokio::test]
async fn too_few_file_descriptors_are_reported_without_a_panic() {
    for files in [4, 8, 12, 40] {
        let address = [("HTTP_ADDR", "127.0.0.1:0"), ("GRPC_ADDR", "127.0.0.1:0")];
        for arguments in [&[][..], &["maintenance-page"]] {
            let mut process = Process::start_limited(BINARY, files, arguments, &address[..2 - arguments.len()]);
            assert_eq!(process.wait().await.code(), Some(78), "{files}: {:?}", process.log());
            let log = process.log().join("\n");
            assert!(log.contains(&format!("the limit of open files is {files}")) && !log.contains("panicked"), "{log}");
        }
    }
}
