//! In front of any app: what the app gets, byte for byte, and what its answers do.

mod failures;
mod heads;
mod sessions;
mod tunnels;

use test_support::{RawAnswer, RawApp, TEST_TIMEOUT, UserPod};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::pod;

/// A pod in front of `app`.
async fn in_front_of(app: &RawApp, options: &[(&str, &str)]) -> UserPod {
    let fixed = [("UPSTREAM_URL", app.url.as_str()), ("METRICS_ADDR", "127.0.0.1:0")];
    pod(&[&fixed, options].concat()).await
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
