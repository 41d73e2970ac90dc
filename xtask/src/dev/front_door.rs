//! The front door: one address in front of all user pods, as a Service with sticky sessions is in a cluster.
//!
//! A tab stays with the pod that served it first, by a cookie on the tab's own path: two tabs of one browser may be on different
//! pods. A draining pod gets no new tabs and keeps its tabs until it has exited; then they go to another pod. Readiness is
//! queried for each new tab, so that no state is cached or outdated.
//!
//! It accepts one request for each connection and forwards bytes as they arrive, in both directions, without buffers or size limits;
//! an upgraded connection is no special case. It uses only the standard library, because its dependencies would be compiled before
//! `cargo xtask` prints its first line.

mod head;
mod pods;
mod relay;
mod sticky;
mod waiting_page;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

pub(super) use pods::{Backend, Pods};

/// How long accepting pauses after a failure, for instance without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves on `address`, from now on to the end of the process.
///
/// # Errors
/// The address is taken.
pub(super) fn open(address: SocketAddr, pods: Pods) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).with_context(|| format!("the front door cannot listen on {address}"))?;
    // Lives as long as the process: there is nothing to join before its end.
    thread::spawn(move || accept(&listener, &Arc::new(pods)));
    Ok(())
}

fn accept(listener: &TcpListener, pods: &Arc<Pods>) {
    loop {
        let Ok((client, peer)) = listener.accept() else {
            thread::sleep(ACCEPT_PAUSE);
            continue;
        };
        let pods = Arc::clone(pods);
        let serve = move || {
            // Only the client needs to know of a broken connection, and it does.
            let _ = relay::serve(&client, peer, &pods);
        };
        // If no thread can be started, the client sees a closed connection and retries.
        let _ = thread::Builder::new().spawn(serve);
    }
}

#[cfg(test)]
mod tests;
