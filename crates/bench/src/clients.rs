//! Clients with an event stream each, thousands on one thread, from many source addresses.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

/// How many streams one source address has: well below the number of its ports.
const STREAMS_PER_ADDRESS: usize = 250;

/// How long one answer may take while the streams are opened.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The open event streams.
pub(crate) struct Streams {
    poll: Poll,
    sockets: Vec<mio::net::TcpStream>,
}

impl Streams {
    /// Opens event streams one after another, each with a session of its own if `has_session`.
    pub(crate) fn open(server: SocketAddr, count: usize, has_session: bool) -> anyhow::Result<Self> {
        let (poll, network) = (Poll::new()?, next_network());
        let mut sockets = Vec::with_capacity(count);
        for number in 0..count {
            let socket =
                open(server, source(network, number)?, has_session).with_context(|| format!("stream {number}"))?;
            socket.set_nonblocking(true)?;
            let mut socket = mio::net::TcpStream::from_std(socket);
            poll.registry().register(&mut socket, Token(number), Interest::READABLE)?;
            sockets.push(socket);
        }
        Ok(Self { poll, sockets })
    }

    /// Waits until every stream has received `event`, and returns when the last one did.
    pub(crate) fn wait_for(&mut self, event: &[u8], timeout: Duration) -> anyhow::Result<Instant> {
        let deadline = Instant::now() + timeout;
        let (mut has_event, mut left) = (vec![false; self.sockets.len()], self.sockets.len());
        let (mut events, mut buffer) = (Events::with_capacity(1024), vec![0; 64 * 1024]);
        loop {
            let wait = deadline.saturating_duration_since(Instant::now());
            ensure!(!wait.is_zero(), "{left} streams were not told in time");
            self.poll.poll(&mut events, Some(wait))?;
            for ready in &events {
                let Token(number) = ready.token();
                loop {
                    match self.sockets[number].read(&mut buffer) {
                        Ok(0) => bail!("stream {number} has ended"),
                        Ok(count) => {
                            // An event arrives whole: it is written by one call to an empty socket.
                            if !has_event[number] && contains(&buffer[..count], event) {
                                has_event[number] = true;
                                left -= 1;
                            }
                            if count < buffer.len() {
                                break;
                            }
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error).with_context(|| format!("stream {number}")),
                    }
                }
            }
            if left == 0 {
                return Ok(Instant::now());
            }
        }
    }
}

/// A network of source addresses that was not used a moment ago: the kernel keeps the ports of closed connections for a minute.
fn next_network() -> u8 {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    let number = OPENED.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id());
    // Not that of the servers.
    u8::try_from(number % 254 + 1).unwrap_or(1)
}

fn source(network: u8, number: usize) -> anyhow::Result<Ipv4Addr> {
    let index =
        u8::try_from(number / STREAMS_PER_ADDRESS).context("too many streams for a network of source addresses")?;
    Ok(Ipv4Addr::new(127, network, index, 1))
}

fn open(server: SocketAddr, source: Ipv4Addr, has_session: bool) -> anyhow::Result<TcpStream> {
    let mut cookie = String::new();
    if has_session {
        // A browser has other connections for its pages.
        let mut page = connect(server, source)?;
        let head = request(&mut page, "/", "", b"\r\n\r\n")?;
        let value = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let value = value.and_then(|value| value.split(';').next()).context("no session has started")?;
        cookie = format!("cookie: {value}\r\n");
    }
    let mut stream = connect(server, source)?;
    let answer = request(&mut stream, "/events", &cookie, b"event: connected")?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "/events answers {answer}");
    Ok(stream)
}

fn connect(server: SocketAddr, source: Ipv4Addr) -> anyhow::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect(&server.into())?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(ANSWER_TIME))?;
    Ok(socket.into())
}

/// Sends a request, and returns what has come once `until` is in it.
fn request(connection: &mut TcpStream, path: &str, fields: &str, until: &[u8]) -> anyhow::Result<String> {
    connection
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n{fields}\r\n").as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while !contains(&answer, until) {
        let count = connection.read(&mut buffer)?;
        ensure!(count > 0, "{path}: the connection has ended after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
