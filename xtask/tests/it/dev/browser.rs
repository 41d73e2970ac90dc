//! The README's walk-through in a browser.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use test_support::{Browser, eventually};

use super::Dev;

#[tokio::test]
async fn a_page_whose_pod_is_gone_continues_on_the_other_pod_and_says_so() {
    // Long enough to be read; users are signed out by the pod, at the end.
    let dev = Dev::start(&["--drain-timeout", "6s"], &[("AUTO_LOGOUT", "false")]).await;
    let front_door = format!("http://localhost:{}", dev.port);
    let browser = Browser::open().await;
    browser.go(&front_door).await;
    browser.reads("#connection", "Live").await;
    browser.reads("#pod", "user-1").await;
    assert!(!browser.shows("#new-session").await);
    browser.write("#notes", "an unsaved thought").await;
    browser.new_tab().await;
    browser.go(&front_door).await;
    browser.reads("#pod", "user-2").await;
    browser.reads("#connection", "Live").await;
    browser.switch_to(0).await;

    dev.drain("user-1");
    browser.sees("#drain-banner").await;
    browser.sees("#continue").await;
    dev.line("user-1 has drained and exited").await;
    browser.click("#continue").await;
    browser.reads("#pod", "user-2").await;
    browser.reads("#connection", "Live").await;
    let said = browser.reads("#new-session", "user-2").await;
    assert!(said.contains("user-1 has ended"), "{said}");
    assert_eq!(browser.value("#notes").await, "an unsaved thought");
    browser.screenshot("dev-continued").await;
    browser.reload().await;
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#new-session").await, "it is shown once");
    browser.switch_to(1).await;
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#drain-banner").await && !browser.shows("#new-session").await);
}

#[tokio::test]
async fn with_handoff_a_page_moves_to_the_other_pod_and_shows_no_banner() {
    let dev = Dev::start(&["--handoff"], &[]).await;
    assert!(dev.log().iter().any(|line| line.contains("its pages move to another pod")), "the summary says so");
    let browser = Browser::open().await;
    browser.go(&format!("http://localhost:{}", dev.port)).await;
    browser.reads("#pod", "user-1").await;
    browser.reads("#connection", "Live").await;
    browser.write("#notes", "half a sent").await;
    dev.drain("user-1");
    browser.reads("#pod", "user-2").await;
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#drain-banner").await && !browser.shows("#new-session").await);
    assert_eq!(browser.value("#notes").await, "half a sent");
    dev.line("handoff: ended").await;
}

#[tokio::test]
async fn the_waiting_page_stays_while_another_server_answers_at_its_address() {
    let dev = Dev::start(&["--pods", "1"], &[("PROPAGATION_WAIT", "0s")]).await;
    dev.drain("user-1");
    dev.line("user-1 has drained and exited").await;
    let browser = Browser::open().await;
    browser.go(&format!("http://localhost:{}", dev.port)).await;
    browser.reads("h1", "One moment").await;

    let (admits, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let listener = TcpListener::bind(("127.0.0.1", dev.port + 100)).unwrap();
    let (answers, times) = (Arc::clone(&admits), Arc::clone(&asked));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let is_question = lines.collect::<String>().starts_with("GET /session ");
            let (status, body) = match is_question && answers.load(Ordering::SeqCst) {
                true => ("401 Unauthorized", r#"{"admits_newcomers":true}"#),
                false => ("200 OK", "<h1>Another page</h1>"),
            };
            let head = "Content-Type: text/html\r\nConnection: close";
            // The front door's readiness query may be closed early.
            let _ = write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            times.fetch_add(u32::from(is_question), Ordering::SeqCst);
        }
    });
    // Each request comes after the previous answer was evaluated.
    eventually("three questions", || async { (asked.load(Ordering::SeqCst) >= 3).then_some(()) }).await;
    assert_eq!(browser.text("h1").await, "One moment");
    admits.store(true, Ordering::SeqCst);
    browser.reads("h1", "Another page").await;
}
