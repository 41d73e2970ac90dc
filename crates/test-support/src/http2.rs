//! A client of HTTP/2 without TLS that shows the frames: which come on which stream, and when the server says GOAWAY.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::TEST_TIMEOUT;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The kind of a frame, as far as tests tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A piece of a body.
    Data,
    /// The head of a response.
    Headers,
    /// The end of a stream before its time.
    Reset,
    /// The server takes no further requests on this connection.
    GoAway,
    /// Any other.
    Other(u8),
}

/// A frame that the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its kind.
    pub kind: FrameKind,
    /// The stream that it belongs to; 0 is the connection.
    pub stream: u32,
    /// Whether its stream ends with it.
    pub ends_stream: bool,
    /// Its content.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Of a GOAWAY: the highest stream that the server may still serve.
    pub fn last_stream(&self) -> u32 {
        assert_eq!(self.kind, FrameKind::GoAway, "{self:?}");
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }
}

/// An HTTP/2 connection. Dropping it closes it.
#[derive(Debug)]
pub struct Http2 {
    stream: TcpStream,
    host: String,
    next_stream: u32,
}

impl Http2 {
    /// Connects to `host`, without TLS and without a request of HTTP/1.1 before.
    pub async fn connect(host: &str) -> Self {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(PREFACE).await.unwrap();
        let mut client = Self { stream, host: host.to_owned(), next_stream: 1 };
        client.send(4, 0, 0, &[]).await;
        client
    }

    /// Sends `GET`, with a cookie where it is not empty. Returns the stream of the request.
    pub async fn get(&mut self, path: &str, cookie: &str) -> u32 {
        let id = self.next_stream;
        self.next_stream += 2;
        // Indexed: `:method: GET` and `:scheme: http`. Literals with indexed names: `:path`, `:authority`, `cookie`.
        let mut head = vec![0x82, 0x86];
        for (name, value) in [(&[0x04][..], path), (&[0x01], &self.host), (&[0x0f, 0x11], cookie)] {
            if !value.is_empty() {
                head.extend_from_slice(name);
                push_string(&mut head, value);
            }
        }
        self.send(1, END_STREAM | END_HEADERS, id, &head).await;
        id
    }

    /// Waits for the next frame; `None` where the server has closed the connection. Answers settings and pings.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let (kind, flags, stream, payload) = timeout(TEST_TIMEOUT, self.read()).await.expect("no frame came")?;
            match kind {
                4 | 6 if flags & ACK == 0 => {
                    let echo = if kind == 6 { payload } else { Vec::new() };
                    self.send(kind, ACK, 0, &echo).await;
                }
                4 | 6 | 8 => {}
                _ => {
                    let ends_stream = kind <= 1 && flags & END_STREAM != 0;
                    let kind = match kind {
                        0 => FrameKind::Data,
                        1 => FrameKind::Headers,
                        3 => FrameKind::Reset,
                        7 => FrameKind::GoAway,
                        other => FrameKind::Other(other),
                    };
                    return Some(Frame { kind, stream, ends_stream, payload });
                }
            }
        }
    }

    async fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap()) & 0x7fff_ffff;
        Some((head[3], head[4], stream, payload))
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        // The server may have closed the connection: what it sent before is read all the same.
        let _ = self.stream.write_all(&frame).await;
    }
}

/// A string literal without Huffman coding (RFC 7541, 5.2).
fn push_string(head: &mut Vec<u8>, value: &str) {
    match u8::try_from(value.len()) {
        Ok(length @ ..127) => head.push(length),
        _ => {
            head.push(127);
            let mut left = value.len() - 127;
            while left >= 128 {
                head.push(u8::try_from(left % 128).unwrap() | 128);
                left /= 128;
            }
            head.push(u8::try_from(left).unwrap());
        }
    }
    head.extend_from_slice(value.as_bytes());
}
