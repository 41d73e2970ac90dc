//! A `GET` over a connection of its own, for probes and metrics.

use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

/// Returns the status and the text of a page on this port.
///
/// # Errors
/// Nothing answers.
pub(super) async fn get(port: u16, path: &str) -> anyhow::Result<(u16, String)> {
    timeout(PATIENCE, async {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let (_, text) = answer.split_once("\r\n\r\n").context("no head")?;
        Ok((status, text.to_owned()))
    })
    .await?
}
