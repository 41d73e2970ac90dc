//! Accepting and serving connections: HTTP/1.1 and h2c by hyper, with bounded buffers and a time limit for heads.
//!
//! A pod that drains must be reachable, so that connections are accepted during the whole drain, until `stop` is cancelled.
//! Then every connection finishes its requests, one that is new answers its first; the caller drops the rest at its own deadline. When
//! file descriptors run short, the connections that have been idle longest close first.

mod activity;
mod close_after_answer;
mod compact_body;
mod connection;
mod connections;
mod protocol;
mod settings;
mod tracked_io;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
pub use close_after_answer::CloseAfterAnswer;
pub use connection::ConnectionHandle;
pub use connections::Connections;
pub use settings::ConnectionSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long accepting pauses when the process has no file descriptor left and no connection is idle.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// How long accepting pauses after idle connections were asked to close.
const EVICTION_PAUSE: Duration = Duration::from_millis(5);

/// Serves `routes` until `stop` is cancelled and every connection has finished.
///
/// # Cancel safety
/// Dropping the future closes every connection at once.
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
                log_panic(ended);
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                let open = connections.open();
                tasks.spawn(connection::run(stream, peer, routes.clone(), stop.clone(), settings.clone(), open));
            }
            Err(error) => recover(&error, &connections).await,
        }
    }
    for (stream, peer) in take_queued(listener) {
        let open = connections.open();
        tasks.spawn(connection::run(stream, peer, routes.clone(), stop.clone(), settings.clone(), open));
    }
    while let Some(ended) = tasks.join_next().await {
        log_panic(ended);
    }
}

/// Closes the listener, and returns the connections that were established and waited to be accepted: their clients would see them reset.
/// Clients that come later are refused, and a proxy tries another pod.
fn take_queued(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    // Asks the system, not the runtime, which may not know of them yet.
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let mut queued = Vec::new();
    while let Ok((stream, peer)) = listener.accept() {
        if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
            queued.push((stream, peer));
        }
    }
    queued
}

/// Handles an error of accepting. One that concerns a single client is logged; without file descriptors, idle connections close.
async fn recover(error: &io::Error, connections: &Connections) {
    let single_client = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    if single_client.contains(&error.kind()) {
        debug!(error = error as &dyn std::error::Error, "a connection broke before it was accepted");
        return;
    }
    if connections.close_idle() > 0 {
        sleep(EVICTION_PAUSE).await;
        return;
    }
    warn!(
        error = error as &dyn std::error::Error,
        "cannot accept connections, trying again: raise the limit of open files or lower MAX_SESSIONS"
    );
    sleep(NO_DESCRIPTOR_PAUSE).await;
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        warn!(
            error = &error as &dyn std::error::Error,
            "a connection's task panicked; its client sees a closed connection"
        );
    }
}

#[cfg(test)]
mod tests;
