//! Whether the app accepts connections: asked every second, and at once after a request has failed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::address::Address;
use crate::client::probe;

/// The pause between two connections.
const INTERVAL: Duration = Duration::from_secs(1);

/// Follows whether the app accepts connections. Its task ends when this is dropped.
#[derive(Debug)]
pub struct Availability {
    state: watch::Receiver<bool>,
    check: Arc<Notify>,
    task: AbortHandle,
}

impl Availability {
    /// Begins to connect to the app. Until the first connection it counts as away. Needs a Tokio runtime.
    pub fn start(address: Address, connect_timeout: Duration) -> Self {
        let (sender, state) = watch::channel(false);
        let check = Arc::new(Notify::new());
        let task = tokio::spawn(follow(address, connect_timeout, sender, Arc::clone(&check))).abort_handle();
        Self { state, check, task }
    }

    /// Whether the app accepts connections.
    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.state.clone()
    }

    /// What asks for a connection at once: a request has failed.
    pub fn checker(&self) -> impl Fn() + Send + Sync + 'static {
        let check = Arc::clone(&self.check);
        move || check.notify_one()
    }
}

impl Drop for Availability {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(address: Address, connect_timeout: Duration, state: watch::Sender<bool>, check: Arc<Notify>) {
    let mut is_first = true;
    loop {
        let accepts = match timeout(connect_timeout, probe(&address)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                log_loss(&address, is_first || *state.borrow(), &error.to_string());
                false
            }
            Err(_) => {
                log_loss(&address, is_first || *state.borrow(), "no answer within UPSTREAM_CONNECT_TIMEOUT");
                false
            }
        };
        let changed = state.send_if_modified(|state| std::mem::replace(state, accepts) != accepts);
        if changed && accepts {
            info!(upstream = %address, "the app accepts connections");
        }
        is_first = false;
        let _ = timeout(INTERVAL, check.notified()).await;
        // Failed requests of a moment cause one connection.
        sleep(Duration::from_millis(20)).await;
    }
}

fn log_loss(address: &Address, is_news: bool, error: &str) {
    if is_news {
        warn!(upstream = %address, error, "the app does not accept connections");
    }
}
