//! The reference: what it costs to write one event to many sockets, and nothing else.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Context as _;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

/// The head that every request gets. No cookie: the clients of the reference ask for the stream at once.
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n18\r\nevent: connected\ndata: {}\r\n";

/// An event as long as that of a drain.
const EVENT: &str = "event: drain\ndata: {\"reason\":\"shutdown\",\"message\":\"Server shutting down in 60s. Please save your work and logout.\",\
     \"countdown\":60,\"remaining_ms\":60000,\"forced_logout_at\":\"2026-01-01T00:01:00.000Z\",\"server_time\":\"2026-01-01T00:00:00.000Z\",\
     \"auto_logout\":true}\n\n";

/// Serves until it is killed.
///
/// # Errors
/// If it cannot listen.
pub(crate) fn run(port: u16) -> anyhow::Result<()> {
    rlimit::increase_nofile_limit(u64::MAX).context("the limit of open files cannot be raised")?;
    let mut signals = Signals::new([SIGTERM]).context("SIGTERM cannot be handled")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).context("the port is in use")?;
    let sockets = Arc::new(Mutex::new(Vec::<TcpStream>::new()));
    let accepted = Arc::clone(&sockets);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            if let Some(socket) = begin(socket)
                && let Ok(mut sockets) = accepted.lock()
            {
                sockets.push(socket);
            }
        }
    });
    for _ in signals.forever() {
        let event = format!("{:X}\r\n{EVENT}\r\n", EVENT.len());
        let Ok(mut sockets) = sockets.lock() else { continue };
        for socket in sockets.iter_mut() {
            // A client that has gone is not waited for.
            let _ = socket.write(event.as_bytes());
        }
    }
    Ok(())
}

/// Answers the request of a client. `None` where it sends none.
fn begin(mut socket: TcpStream) -> Option<TcpStream> {
    let _ = socket.set_nodelay(true);
    let mut request = [0; 2048];
    if socket.read(&mut request).ok()? == 0 {
        return None;
    }
    socket.write_all(HEAD).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
