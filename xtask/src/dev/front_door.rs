//! The front door: one address in front of all user pods, as a Service with sticky sessions is in a cluster.
//!
//! A tab stays at the pod that served it first, by a cookie on the tab's own path: two tabs of one browser may sit at
//! different pods. A pod that drains gets no new tabs and keeps those that it has until it is gone; then they go to
//! another pod. Readiness is asked for at the moment when it matters, so nothing is remembered and nothing is out of date.
//!
//! It takes one request a connection and passes bytes on as they come, both ways: nothing is buffered, nothing has a size
//! limit, and an upgraded connection is no special case. It depends on nothing but the standard library, because
//! whatever is added here is compiled before `cargo xtask` says its first word.

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

/// How long accepting pauses after it has failed, as it does without free file descriptors.
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
            // A connection that breaks is its client's affair: the client sees it, and nobody else needs to.
            let _ = relay::serve(&client, peer, &pods);
        };
        // Where no thread is to be had, the client sees a closed connection and asks again.
        let _ = thread::Builder::new().spawn(serve);
    }
}

#[cfg(test)]
mod tests;
