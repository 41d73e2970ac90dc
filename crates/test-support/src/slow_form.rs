//! Forms that arrive byte by byte.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Sends 50 forms at once, each as `head` and then 400 chunks of one byte. Returns the open connections, whose last chunk has
/// not been sent.
pub async fn send_forms_byte_by_byte(address: &str, head: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    // In turn and with pauses, so that the server reads each byte by itself.
    for _ in 0..400 {
        for stream in &mut streams {
            stream.write_all(b"1\r\nx\r\n").await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    streams
}
