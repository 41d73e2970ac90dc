//! Serving connections: HTTP/1.1 and h2c on hyper, with bounded buffers and a time limit for the head.
//!
//! Accepting goes on through the whole drain: a pod that says goodbye must be reachable. It stops when `stop` is
//! cancelled, and then every connection gets to finish what it is at, until its caller's deadline drops them all.

mod connection;

use std::io;
use std::time::Duration;

use axum::Router;
pub(crate) use connection::Settings;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long accepting pauses where the process has no file descriptor left.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// Serves `routes` to whoever connects, until `stop` is cancelled and every connection is done.
///
/// # Cancel safety
/// Dropped, it closes every connection at once.
pub(crate) async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken, settings: Settings) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                note(ended);
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection::run(stream, peer.ip(), routes.clone(), stop.clone(), settings));
            }
            Err(error) => recover(&error).await,
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        note(ended);
    }
}

/// A connection that failed to be accepted is its client's affair; running out of descriptors is everybody's.
async fn recover(error: &io::Error) {
    let clients = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    if clients.contains(&error.kind()) {
        debug!(%error, "a connection broke before it was accepted");
        return;
    }
    warn!(%error, "cannot accept connections, trying again: raise the limit of open files or lower MAX_SESSIONS");
    sleep(NO_DESCRIPTOR_PAUSE).await;
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        warn!(%error, "a connection's task panicked; its client sees a closed connection");
    }
}
