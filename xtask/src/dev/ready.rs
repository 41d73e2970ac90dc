//! Queries whether a process is ready, by plain HTTP. Never waits long, because the caller supervises other processes, too.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// The largest part of an answer that is read: only its first line matters.
const MAX_STATUS_LINE_BYTES: u64 = 256;

/// The status of the answer to `GET path`, if there is one.
pub(super) fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT).ok()?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(MAX_STATUS_LINE_BYTES)).read_line(&mut line).ok()?;
    line.strip_prefix("HTTP/1.1 ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line() -> anyhow::Result<()> {
        assert_eq!(answered("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")?, Some(503));
        assert_eq!(answered("HTTP/1.1 200 OK\r\n\r\n{}")?, Some(200));
        assert_eq!(answered("SSH-2.0-other\r\n")?, None);
        assert_eq!(answered("")?, None);
        Ok(())
    }

    #[test]
    fn a_port_without_a_listener_is_not_ready() -> anyhow::Result<()> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        assert_eq!(status(address, "/ready"), None);
        Ok(())
    }

    /// The status that is read from an answer.
    fn answered(answer: &'static str) -> anyhow::Result<Option<u16>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = thread::spawn(move || -> std::io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let _ = stream.read(&mut [0; 1024])?;
            stream.write_all(answer.as_bytes())
        });
        let status = status(address, "/ready");
        server.join().map_err(|_| anyhow::anyhow!("the server panicked"))??;
        Ok(status)
    }
}
