//! The bytes that the app receives.

use test_support::{RawApp, TEST_TIMEOUT};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{answer, exchange, in_front_of};

/// The fields that the proxy adds, and the host.
const ADDED: &str = "x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: h\r\n";

#[tokio::test]
async fn the_app_gets_each_request_with_one_framing_and_its_target_byte_for_byte() {
    let app = RawApp::start(|_, _| answer("", "")).await;
    let pod = in_front_of(&app, &[("POD_NAME", "p")]).await;
    let get =
        |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{lines}\r\n");
    let post =
        |lines: &str, body: &str| format!("POST /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{lines}\r\n{body}");
    for (request, line, fields, body) in [
        (get("//a/%2F/../b?c=%00//", ""), "GET //a/%2F/../b?c=%00// HTTP/1.1", "", ""),
        (get("http://h/x//y", ""), "GET /x//y HTTP/1.1", "", ""),
        (get("http://H:80/", "").replace("GET", "OPTIONS"), "OPTIONS / HTTP/1.1", "", ""),
        (get("*", "").replace("GET", "OPTIONS"), "OPTIONS * HTTP/1.1", "", ""),
        (post("Content-Length: 3\r\n", "abc"), "POST /p HTTP/1.1", "content-length: 3\r\n", "abc"),
        (post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "POST /p HTTP/1.1", "content-length: 3\r\n", "abc"),
        (
            post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "2;x=y\r\nab\r\n0\r\n\r\n"),
            "POST /p HTTP/1.1",
            "transfer-encoding: chunked\r\n",
            "2\r\nab\r\n0\r\n\r\n",
        ),
        (
            post(
                "Transfer-Encoding: chunked\r\nTrailer: X-Sum, Lastcall-User\r\n",
                "1\r\na\r\n0\r\nX-Sum: 1\r\nLastcall_User: eve\r\nLastcall-User: eve\r\n\r\n",
            ),
            "POST /p HTTP/1.1",
            "trailer: X-Sum, Lastcall-User\r\ntransfer-encoding: chunked\r\n",
            "1\r\na\r\n0\r\nx-sum: 1\r\n\r\n",
        ),
        (
            post(
                "Transfer-Encoding: chunked\r\nTrailer: X-Sum, X-Forwarded-For, Cookie, Content_Length\r\n",
                "1\r\na\r\n0\r\nX-Sum: 1\r\nX-Forwarded-For: 1\r\nCookie: a=b\r\nContent_Length: 5\r\n\r\n",
            ),
            "POST /p HTTP/1.1",
            "trailer: X-Sum\r\ntransfer-encoding: chunked\r\n",
            "1\r\na\r\n0\r\nx-sum: 1\r\n\r\n",
        ),
        (
            get(
                "/",
                "Connection: X-Gone, Lastcall-Pod\r\nX-Gone: 1\r\nKeep-Alive: 1\r\nLASTCALL_USER: eve\r\nLastcall-Session: 1\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nX_Forwarded_For: 1\r\nX-Kept: \u{e4}\r\napi_key: 1\r\n",
            ),
            "GET / HTTP/1.1",
            "x-kept: \u{e4}\r\napi_key: 1\r\n",
            "",
        ),
        (
            get("/", "Upgrade: h2c\r\nHTTP2-Settings: AA\r\n").replace("close", "upgrade, close"),
            "GET / HTTP/1.1",
            "",
            "",
        ),
    ] {
        // Characters up to U+00FF stand for one byte each.
        let answered = exchange(&pod, &request).await;
        assert!(answered.starts_with("HTTP/1.1 200"), "{request}{answered}");
        let got = app.last();
        let (head, got_body) = got.split_once("\r\n\r\n").unwrap();
        let (got_line, got_fields) = head.split_once("\r\n").unwrap();
        let mut got_fields: Vec<_> = got_fields.split("\r\n").collect();
        let expected = format!("host: h\r\n{fields}{ADDED}lastcall-pod: p");
        let expected = expected.replace('\u{e4}', "\u{c3}\u{a4}");
        let mut expected: Vec<_> = expected.split("\r\n").collect();
        got_fields.sort_unstable();
        expected.sort_unstable();
        assert_eq!((got_line, got_fields, got_body), (line, expected, body), "{request}");
    }
}

#[tokio::test]
async fn what_cannot_be_passed_on_never_reaches_the_app() {
    let app = RawApp::start(|_, _| answer("", "")).await;
    let pod = in_front_of(&app, &[]).await;
    for (line, fields, status) in [
        ("GET * HTTP/1.1", "", 400),
        ("GET a HTTP/1.1", "", 400),
        ("GET ?a HTTP/1.1", "", 400),
        ("GET /a\"b HTTP/1.1", "", 400),
        ("GET /a b HTTP/1.1", "", 400),
        ("CONNECT h:80 HTTP/1.1", "", 400),
        ("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked\r\n", 501),
        ("POST / HTTP/1.1", "Transfer-Encoding: chunked, identity\r\n", 400),
        ("POST / HTTP/1.1", "Content-Length: 3\r\nContent-Length: 4\r\n", 400),
        ("POST / HTTP/1.1", "Content-Length: +3\r\n", 400),
        ("POST / HTTP/1.1", "Content-Length : 3\r\n", 400),
        ("POST / HTTP/1.1", "X: 1\r\n folded: 2\r\n", 400),
        ("GET / HTTP/1.1", "Host: other\r\n", 400),
        ("GET http://other/ HTTP/1.1", "", 400),
        ("GET http://u@h/ HTTP/1.1", "", 400),
    ] {
        let answered = exchange(
            &pod,
            &format!("{line}\r\nHost: h\r\n{fields}Connection: close\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
        )
        .await;
        assert!(answered.starts_with(&format!("HTTP/1.1 {status}")), "{line} {fields}: {answered}");
        assert!(!answered[9..].contains("HTTP/1.1 "), "a second answer to {line} {fields}: {answered}");
    }
    assert_eq!(app.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_waits_for_100_is_read_once_the_app_asks_for_it() {
    let app = RawApp::start(|request, _| match request.contains("/refused ") {
        true => test_support::RawAnswer::Keep(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n".to_vec()),
        false => test_support::RawAnswer::Keep(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
        ),
    })
    .await;
    let pod = in_front_of(&app, &[]).await;
    for (path, first_line) in [("refused", "HTTP/1.1 413 Payload Too Large"), ("wanted", "HTTP/1.1 100 Continue")] {
        let mut stream = TcpStream::connect(&pod.http).await.unwrap();
        let head = format!("POST /{path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = [0; 200];
        let count = timeout(TEST_TIMEOUT, stream.read(&mut bytes)).await.unwrap().unwrap();
        let answered = String::from_utf8_lossy(&bytes[..count]);
        let answered = answered.lines().next().unwrap_or_default();
        assert!(answered.starts_with(&first_line[..12]), "{path}: {answered}");
        assert!(app.last().contains("\r\nexpect: 100-continue\r\n"), "{}", app.last());
    }
}
