//! A slow connection to a server: data arrives late in both directions, and in order.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// A running proxy. Dropping it closes every connection.
#[derive(Debug)]
pub struct SlowProxy {
    /// The address that it listens on, as `127.0.0.1:port`.
    pub address: String,
    delay: Arc<Mutex<Range<u64>>>,
    _server: JoinSet<()>,
}

impl SlowProxy {
    /// Starts a proxy before `upstream` (`host:port`). Each piece of data takes a random time within `delay`, in milliseconds.
    pub async fn before(upstream: &str, delay: Range<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let delay = Arc::new(Mutex::new(delay));
        let mut server = JoinSet::new();
        server.spawn(accept(listener, upstream.to_owned(), Arc::clone(&delay)));
        Self { address, delay, _server: server }
    }

    /// Changes the delay of later data.
    pub fn set_delay(&self, delay: Range<u64>) {
        *self.delay.lock() = delay;
    }
}

async fn accept(listener: TcpListener, upstream: String, delay: Arc<Mutex<Range<u64>>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        // An unavailable server is unavailable behind the proxy as well.
        let Ok(server) = TcpStream::connect(&upstream).await else { continue };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        connections.spawn(carry(from_client, to_server, Arc::clone(&delay)));
        connections.spawn(carry(from_server, to_client, Arc::clone(&delay)));
        while connections.try_join_next().is_some() {}
    }
}

/// Forwards data in one direction. Pieces do not wait for one another, but keep their order.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Arc<Mutex<Range<u64>>>) {
    let (sender, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut part = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut part).await {
            let range = delay.lock().clone();
            let arrives = Instant::now() + Duration::from_millis(random(range));
            let _ = sender.send((arrives, part[..length].to_vec()));
        }
    };
    let write = async move {
        while let Some((arrives, piece)) = pieces.recv().await {
            sleep_until(arrives).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

fn random(range: Range<u64>) -> u64 {
    if range.is_empty() { range.start } else { fastrand::u64(range) }
}
