//! The front door in front of simulated pods: what it forwards, to which pod, and when.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use super::head::Head;
use super::*;

/// A pod that answers `/ready` with a status that a test sets, and everything else by `play`.
struct FakePod {
    backend: Backend,
    readiness: Arc<AtomicU16>,
}

fn pod(name: &str, play: impl Fn(Head, TcpStream) + Clone + Send + 'static) -> FakePod {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend =
        Backend { name: name.to_owned(), http: listener.local_addr().unwrap(), probes: listener.local_addr().unwrap() };
    let readiness = Arc::new(AtomicU16::new(200));
    let ready = Arc::clone(&readiness);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, ready, play) = (stream.unwrap(), Arc::clone(&ready), play.clone());
            thread::spawn(move || {
                // Without a buffer, so that no byte of the body is consumed.
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        return;
                    }
                    head.push(byte[0]);
                }
                let head = Head::read(&mut head.as_slice()).unwrap().unwrap();
                if head.target() == "/ready" {
                    let answer = format!("HTTP/1.1 {} -\r\n\r\n", ready.load(Ordering::SeqCst));
                    stream.write_all(answer.as_bytes()).unwrap();
                } else {
                    play(head, stream);
                }
            });
        }
    });
    FakePod { backend, readiness }
}

/// A pod that answers with its name, or refuses as a draining pod refuses newcomers.
fn telling(name: &'static str) -> FakePod {
    pod(name, move |request, mut stream| {
        let refuses = request.target().ends_with("/refused") && name == "user-1";
        let status = if refuses { "503 Service Unavailable" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{name}", name.len());
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

/// Starts the front door in front of pods. Returns its address.
fn door(pods: &[&FakePod], shared: bool) -> SocketAddr {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let backends = pods.iter().map(|pod| pod.backend.clone()).collect();
    open(address, Pods::new(backends, shared, false)).unwrap();
    address
}

/// The whole answer to `request`.
fn answer(door: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(door).unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(door: SocketAddr, target: &str, cookie: &str) -> String {
    answer(door, &format!("GET {target} HTTP/1.1\nHost: localhost:9090\nCookie: {cookie}\n\n"))
}

#[test]
fn new_tabs_are_distributed_and_a_tab_stays_with_its_pod_until_that_is_gone() {
    let (one, two) = (telling("user-1"), telling("user-2"));
    let door = door(&[&one, &two], false);
    let first = get(door, "/t/aaaa/", "");
    assert!(first.contains("Set-Cookie: front_door_pod=user-1; Path=/t/aaaa/;"), "{first}");
    assert!(get(door, "/assets/style.css", "").ends_with("user-2"), "it is the next one's turn");
    assert!(get(door, "/t/bbbb/", "").contains("front_door_pod=user-2; Path=/t/bbbb/;"));
    for _ in 0..3 {
        let again = get(door, "/t/aaaa/session", "front_door_pod=user-1");
        assert!(again.ends_with("user-1") && !again.contains("Set-Cookie"), "{again}");
    }
    one.readiness.store(503, Ordering::SeqCst);
    assert!(get(door, "/t/aaaa/events", "front_door_pod=user-1").ends_with("user-1"), "it drains, and keeps its users");
    for _ in 0..3 {
        assert!(get(door, "/t/cccc/", "").ends_with("user-2"), "but gets no new ones");
    }
    let moved = get(door, "/t/aaaa/refused", "front_door_pod=user-1");
    assert!(moved.ends_with("user-2") && moved.contains("front_door_pod=user-2; Path=/t/aaaa/;"), "{moved}");
    let gone = get(door, "/t/dddd/", "front_door_pod=user-9");
    assert!(gone.contains("front_door_pod=user-2"), "{gone}");
}

#[test]
fn with_a_shared_store_a_tab_leaves_a_pod_that_is_not_ready() {
    let (one, two) = (telling("user-1"), telling("user-2"));
    let door = door(&[&one, &two], true);
    assert!(get(door, "/t/aaaa/", "front_door_pod=user-1").ends_with("user-1"));
    one.readiness.store(503, Ordering::SeqCst);
    assert!(get(door, "/t/aaaa/", "front_door_pod=user-1").ends_with("user-2"));
    two.readiness.store(503, Ordering::SeqCst);
    assert!(get(door, "/t/aaaa/", "").contains("200 OK"), "pods that only answer are better than none");
}

#[test]
fn without_a_pod_browsers_get_a_page_that_retries_and_programs_a_problem_document() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone =
        FakePod { backend: Backend { name: "user-1".to_owned(), http: gone, probes: gone }, readiness: Arc::default() };
    let door = door(&[&gone], false);
    let page = answer(door, "GET / HTTP/1.1\nAccept: text/html\nSec-Fetch-Mode: navigate\n\n");
    assert!(page.starts_with("HTTP/1.1 503 ") && page.contains("Retry-After: 1") && page.contains("<h1>"), "{page}");
    for request in ["POST /t/a/login HTTP/1.1\nContent-Length: 3\n\nabc", "GET /t/a/events HTTP/1.1\n\n"] {
        let problem = answer(door, request);
        assert!(problem.starts_with("HTTP/1.1 503 ") && problem.contains("application/problem+json"), "{problem}");
    }
}

#[test]
fn a_pod_that_dies_before_it_answers_loses_no_request_without_a_body() {
    let dying = pod("user-1", |_, stream| drop(stream));
    let two = telling("user-2");
    let door = door(&[&dying, &two], false);
    assert!(get(door, "/t/aaaa/", "front_door_pod=user-1").ends_with("user-2"));
    let posted = answer(door, "POST /t/aaaa/login HTTP/1.1\nCookie: front_door_pod=user-1\nContent-Length: 1\n\na");
    assert!(posted.starts_with("HTTP/1.1 503 "), "what may have been done is not done again: {posted}");
}

#[test]
fn the_pod_gets_the_peer_address_and_the_original_host() {
    let echo = pod("user-1", |request, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        request.write(&mut stream).unwrap();
    });
    let door = door(&[&echo], false);
    let seen =
        answer(door, "GET / HTTP/1.1\nHost: localhost:9090\nConnection: keep-alive\nX-Forwarded-For: 192.0.2.1\n\n");
    let added =
        "X-Forwarded-For: 192.0.2.1\r\nConnection: close\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n";
    assert!(seen.contains("Host: localhost:9090\r\n") && seen.contains(added), "{seen}");
    assert!(!seen.contains("keep-alive"), "{seen}");
}

#[test]
fn bodies_stream_in_both_directions_at_once() {
    // Answers each line as it arrives: neither side ends before it has received the other.
    let echo = pod("user-1", |_, stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        (&stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap_or(0) > 0 {
            if (&stream).write_all(line.as_bytes()).is_err() || line == "end\n" {
                return;
            }
            line.clear();
        }
    });
    let door = door(&[&echo], false);
    for request in [
        "POST /upload HTTP/1.1\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n",
        "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(door).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = BufReader::new(stream.try_clone().unwrap());
        assert_eq!(Head::read(&mut answer).unwrap().unwrap().status(), 100);
        assert_eq!(Head::read(&mut answer).unwrap().unwrap().status(), 200);
        for sent in ["one\n", "two\n", "end\n"] {
            stream.write_all(sent.as_bytes()).unwrap();
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            assert_eq!(line, sent);
        }
        assert_eq!(answer.read(&mut [0]).unwrap(), 0, "the pod has closed");
    }
}

#[test]
fn a_client_that_disconnects_is_disconnected_from_the_pod_too() {
    let (sender, gone) = std::sync::mpsc::channel();
    let stream = pod("user-1", move |_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n").unwrap();
        let _ = stream.read(&mut [0]);
        sender.send(()).unwrap();
    });
    let door = door(&[&stream], false);
    let mut client = TcpStream::connect(door).unwrap();
    client.write_all(b"GET /t/aaaa/events HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = BufReader::new(client.try_clone().unwrap());
    Head::read(&mut answer).unwrap().unwrap();
    let mut first = String::new();
    answer.read_line(&mut first).unwrap();
    assert_eq!(first, "data: 1\n", "an event comes at once, with the stream open");
    client.shutdown(Shutdown::Both).unwrap();
    gone.recv_timeout(Duration::from_secs(30)).unwrap();
}
