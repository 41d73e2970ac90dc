//! In front of any app: what the app gets, byte for byte, and what its answers do.

mod drained;
mod failures;
mod heads;
mod maintenance;
mod messages;
mod pages;
mod sessions;
mod shared;
mod tunnels;

use test_support::{Person, RawAnswer, RawApp, TEST_TIMEOUT, UserPod};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::pod;

/// A pod in front of `app`.
async fn in_front_of(app: &RawApp, options: &[(&str, &str)]) -> UserPod {
    in_front_of_url(&app.url, options).await
}

/// A pod in front of the app with this URL.
async fn in_front_of_url(url: &str, options: &[(&str, &str)]) -> UserPod {
    let fixed = [("UPSTREAM_URL", url), ("METRICS_ADDR", "127.0.0.1:0"), ("PROBE_ADDR", "127.0.0.1:0")];
    pod(&[&fixed, options].concat()).await
}

/// The value of a series of the pod's `/metrics`, which have an address of their own.
async fn metric(pod: &UserPod, series: &str) -> f64 {
    let line = pod.line("metrics.address=").await;
    let address = line.split("metrics.address=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = Person::new(address).text("/metrics").await;
    test_support::metric(&page, series).unwrap_or_else(|| panic!("no {series} in:\n{page}"))
}

/// An answer with this body, and with these lines before it.
fn answer(lines: &str, body: &str) -> RawAnswer {
    RawAnswer::Keep(format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

/// Sends bytes, and returns the answer up to the end of the connection, each byte as a character.
async fn exchange(pod: &UserPod, request: &str) -> String {
    let mut stream = TcpStream::connect(&pod.http).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let reading = timeout(TEST_TIMEOUT, stream.read_to_end(&mut bytes));
    let _ = reading.await.expect("the connection stays open");
    bytes.into_iter().map(char::from).collect()
}
