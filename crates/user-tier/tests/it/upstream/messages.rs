//! What passes with a message beside its body: many fields, trailers over either protocol, and who the user is.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body, Frame};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use test_support::{RawAnswer, RawApp, TEST_TIMEOUT, UserPod};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{answer, exchange, in_front_of};

/// A body of these frames.
struct Frames(VecDeque<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// Sends a request over HTTP/2, and gives the status, the body and the trailers of its answer.
async fn over_http2(pod: &UserPod, request: Request<Frames>) -> (StatusCode, Vec<u8>, HeaderMap) {
    let stream = TcpStream::connect(&pod.http).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let answered = timeout(TEST_TIMEOUT, sender.send_request(request)).await.expect("an answer").unwrap();
    let (head, mut body) = answered.into_parts();
    let (mut bytes, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match frame.unwrap().into_data() {
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().unwrap(),
        }
    }
    connection.abort();
    (head.status, bytes, trailers)
}

/// Sends a request from another address of this machine.
async fn exchange_from(address: &str, pod: &UserPod, request: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(pod.http.parse().unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answered = String::new();
    timeout(TEST_TIMEOUT, stream.read_to_string(&mut answered)).await.expect("the connection stays open").unwrap();
    answered
}

/// Five hundred fields with these values.
fn five_hundred(value: &str) -> String {
    (0..500).map(|number| format!("X-{number}: {value}\r\n")).collect()
}

#[tokio::test]
async fn trailers_and_hundreds_of_fields_pass_both_ways_and_imitations_of_ours_do_not() {
    let fields = five_hundred("1");
    let app = RawApp::start(move |request, _| match request.split(' ').nth(1).unwrap_or_default() {
        "/fields" => answer(&fields, "ok"),
        "/trailers" => RawAnswer::Keep(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nLastcall-User: eve\r\n\
              LASTCALL-LOGOUT: 1\r\n\r\n"
                .to_vec(),
        ),
        _ => answer("", "ok"),
    })
    .await;
    // `any` is for the sample app: in front of an app it changes nothing.
    let pod = in_front_of(&app, &[("SESSION_START", "any")]).await;
    pod.line("SESSION_START=any has no effect with UPSTREAM_URL").await;
    let answered = exchange(&pod, "GET /fields HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nConnection: close\r\n\r\n").await;
    let head = answered.split("\r\n\r\n").next().unwrap();
    assert_eq!(head.lines().filter(|line| line.starts_with("x-")).count(), 500, "{answered}");
    assert!(!head.contains("set-cookie"), "{answered}");

    // A head of nearly 32 KiB.
    let many = five_hundred(&"v".repeat(56));
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{many}\r\n");
    assert!((31 * 1024..32 * 1024).contains(&request.len()), "{}", request.len());
    assert!(exchange(&pod, &request).await.starts_with("HTTP/1.1 200"));
    assert_eq!(app.last().lines().filter(|line| line.starts_with("x-") && line.ends_with("vvv")).count(), 500);

    let body = "POST /trailers HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE, close\r\nTransfer-Encoding: chunked\r\n\
                Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nLastcall-User: eve\r\nLASTCALL_SESSION: eve\r\n\r\n";
    let answered = exchange(&pod, body).await;
    assert!(answered.ends_with("\r\n0\r\nx-sum: 7\r\n\r\n"), "{answered}");
    assert!(app.last().ends_with("\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"), "{}", app.last());

    let mut trailers = HeaderMap::new();
    for (name, value) in [("x-sum", "2"), ("lastcall-user", "eve"), ("lastcall_user", "eve")] {
        trailers.insert(name, value.parse().unwrap());
    }
    let frames = Frames([Frame::data(Bytes::from_static(b"abc")), Frame::trailers(trailers)].into());
    let mut request = Request::post(pod.url("/trailers")).header("te", "trailers").header("trailer", "x-sum");
    for number in 0..100 {
        // More than 32 KiB as HTTP/2 counts, less than that on the wire of HTTP/1.1.
        request = request.header(format!("x-{number}"), "v".repeat(290));
    }
    let (status, body, trailers) = over_http2(&pod, request.body(frames).unwrap()).await;
    assert_eq!((status, &body[..], trailers.len()), (StatusCode::OK, &b"ok"[..], 1), "{trailers:?}");
    assert_eq!(trailers["x-sum"], "7");
    assert!(app.last().ends_with("\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 2\r\n\r\n"), "{}", app.last());
}

#[tokio::test]
async fn a_proxy_that_is_trusted_names_the_user_to_the_app_and_other_peers_name_nobody() {
    let app = RawApp::start(|_, _| answer("Lastcall-User: of-the-app\r\n", "")).await;
    let options = [("TRUSTED_PROXIES", "127.0.0.1/32"), ("TRUSTED_USER_HEADER", "X-Auth-User")];
    let pod = in_front_of(&app, &options).await;
    let fields = "Host: h\r\nAccept: text/html\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n";
    for (peer, name, status, expected) in [
        ("127.0.0.1", "X-Auth-User: Ada Lovelace\r\n", 200, ["192.0.2.7, 127.0.0.1", "https", "Ada%20Lovelace"]),
        ("127.0.0.2", "X-Auth-User: eve\r\n", 200, ["127.0.0.2", "http", "anonymous"]),
        ("127.0.0.1", "X-Auth-User: ada\r\nX-Auth-User: eve\r\n", 400, ["", "", ""]),
    ] {
        let answered = exchange_from(peer, &pod, &format!("GET /{peer} HTTP/1.1\r\n{fields}{name}\r\n")).await;
        assert!(answered.starts_with(&format!("HTTP/1.1 {status}")), "{answered}");
        if status != 200 {
            continue;
        }
        let got = app.last();
        let names = ["x-forwarded-for", "x-forwarded-proto", "lastcall-user"];
        for (name, expected) in names.into_iter().zip(expected) {
            assert!(got.contains(&format!("\r\n{name}: {expected}\r\n")), "{peer} {name}: {got}");
        }
        assert_eq!(got.contains("x-auth-user"), peer == "127.0.0.1", "{got}");
    }
    assert_eq!(app.requests().len(), 2);
}
