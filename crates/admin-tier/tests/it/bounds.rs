//! The admin tier survives whatever clients send, and a log that is not read.

use test_support::{
    Person, Process, Signal, TEST_TIMEOUT, UnreadLogProcess, eventually, free_port, metric, send_forms_byte_by_byte,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Admin, BINARY};

const PODS: [&str; 1] = ["127.0.0.1:1"];

#[tokio::test]
async fn an_endless_head_is_refused_and_costs_no_memory() {
    let admin = Admin::start(&PODS).await;
    let before = admin.memory_bytes();
    let mut stream = TcpStream::connect(&admin.http).await.unwrap();
    let (mut read, mut write) = stream.split();
    write.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let sending = async {
        let line = [b"x-more: ", &[b'x'; 1_000][..], b"\r\n"].concat();
        while write.write_all(&line).await.is_ok() {}
    };
    let answered = async {
        let mut answer = Vec::new();
        // Closed or reset: either way it is over.
        let _ = read.read_to_end(&mut answer).await;
        answer
    };
    let (answer, ()) =
        timeout(TEST_TIMEOUT, async { tokio::join!(answered, sending) }).await.expect("it goes on for ever");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    let grown = admin.memory_bytes().saturating_sub(before);
    assert!(grown < 16 * 1024 * 1024, "{grown}");
    assert_eq!(admin.person().status("/health").await, 200);
}

#[tokio::test]
async fn a_form_sent_byte_by_byte_costs_no_more_memory_than_its_bytes_and_too_large_a_one_is_refused() {
    let admin = Admin::with(&PODS, &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")]).await;
    admin.person().get("/admin").await;
    let before = admin.memory_bytes();
    let head = format!(
        "POST /admin/sign-in HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\ncontent-type: \
         application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n",
        admin.http
    );
    let mut streams = send_forms_byte_by_byte(&admin.http, &head).await;
    let grown = admin.memory_bytes().saturating_sub(before);
    assert!(grown < 16 * 1024 * 1024, "20,000 bytes cost {grown}");
    let stream = &mut streams[0];
    let _ = stream.write_all(&b"1\r\nx\r\n".repeat(17_000)).await;
    let mut answer = [0; 12];
    timeout(TEST_TIMEOUT, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_log_that_is_not_read_delays_no_request() {
    let address = format!("127.0.0.1:{}", free_port());
    let options = [("HTTP_ADDR", address.as_str()), ("USER_PODS", PODS[0]), ("ADMIN_TOKEN", "opener")];
    let mut process = UnreadLogProcess::start(BINARY, &options).await;
    let person = Person::new(&address);
    eventually("the admin tier serves", || async { person.request("/health").send().await.ok() }).await;
    for _ in 0..3 {
        let wrong =
            person.request("/admin/api/v1/pods").bearer_auth("wrong").timeout(TEST_TIMEOUT).send().await.unwrap();
        assert!([401, 429].contains(&wrong.status().as_u16()), "{}", wrong.status());
    }
    let page = person.text("/metrics").await;
    assert_eq!(metric(&page, "lastcall_admin_log_lines_dropped_total"), Some(0.0));
    process.signal(Signal::SIGTERM);
    assert_eq!(process.wait().await.code(), Some(0));
}

#[tokio::test]
async fn hangups_and_user_signals_are_ignored_and_sigquit_stops() {
    let mut admin = Admin::start(&PODS).await;
    for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
        admin.signal(signal);
        admin.line(&format!("received {signal}, which is ignored")).await;
    }
    assert_eq!(admin.person().status("/health").await, 200);
    admin.signal(Signal::SIGQUIT);
    assert_eq!(admin.process.wait().await.code(), Some(0));
}

#[tokio::test]
async fn a_limit_of_too_few_open_files_is_reported_without_a_panic() {
    for files in [4, 8, 12, 40] {
        let options = [("HTTP_ADDR", "127.0.0.1:0"), ("USER_PODS", PODS[0]), ("ADMIN_AUTH", "off")];
        let mut process = Process::start_limited(BINARY, files, &[], &options);
        assert_eq!(process.wait().await.code(), Some(78), "{files}: {:?}", process.log());
        let log = process.log().join("\n");
        assert!(log.contains(&format!("the limit of open files is {files}")) && !log.contains("panicked"), "{log}");
    }
}
