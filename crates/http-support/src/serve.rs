//! Serving connections: HTTP/1.1 and h2c on hyper, with bounded buffers and a time limit for the head.
//!
//! Accepting goes on through the whole drain: a pod that drains must be reachable. It stops when `stop` is cancelled,
//! and then every connection gets to finish what it is at, until its caller's deadline drops them all. Where file
//! descriptors run short, the connections that have been idle longest close first.

mod activity;
mod compact_body;
mod connection;
mod connections;
mod tracked_io;

use std::io;
use std::time::Duration;

use axum::Router;
pub use connection::{ConnectionHandle, ConnectionSettings};
pub use connections::Connections;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long accepting pauses where the process has no file descriptor left and no connection is idle.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// How long accepting pauses after idle connections were told to close.
const CLOSING_PAUSE: Duration = Duration::from_millis(5);

/// Serves `routes` to every client, until `stop` is cancelled and every connection is done. Requests carry the address
/// that they come from as [`axum::extract::ConnectInfo`], where the settings say so.
///
/// # Cancel safety
/// Dropped, it closes every connection at once.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: CancellationToken,
    settings: ConnectionSettings,
    connections: Connections,
) {
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(ended) = tasks.join_next() => {
                note(ended);
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                let open = connections.open();
                tasks.spawn(connection::run(stream, peer, routes.clone(), stop.clone(), settings, open));
            }
            Err(error) => recover(&error, &connections).await,
        }
    }
    drop(listener);
    while let Some(ended) = tasks.join_next().await {
        note(ended);
    }
}

/// A connection that failed to be accepted is its client's affair; running out of descriptors concerns every client.
async fn recover(error: &io::Error, connections: &Connections) {
    let clients = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    if clients.contains(&error.kind()) {
        debug!(%error, "a connection broke before it was accepted");
        return;
    }
    if connections.close_idle() > 0 {
        sleep(CLOSING_PAUSE).await;
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
