//! Which protocol a client speaks: HTTP/1.1 or HTTP/2.
//!
//! Without hyper-util's own detection an open event stream takes half the memory: no second buffer, and no state for both
//! protocols.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use super::activity::Activity;

/// The first bytes of an HTTP/2 connection (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How often the first bytes are examined while they are incomplete. Peeking does not wait for more bytes than it has shown.
const PEEK_INTERVAL: Duration = Duration::from_millis(10);

/// Whether the client speaks HTTP/2. Examines the first bytes, and leaves them in the stream.
pub(super) async fn is_http2(stream: &TcpStream, activity: &Activity) -> io::Result<bool> {
    let mut bytes = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut bytes).await?;
        if count > 0 {
            activity.received();
        }
        if count == 0 || !PREFACE.starts_with(&bytes[..count]) {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        sleep(PEEK_INTERVAL).await;
    }
}
