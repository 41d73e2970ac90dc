//! The idle connections to the app. The one that was used last is used first, so that the others age and are closed.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::connection::Sender;

/// The shortest pause between two looks for aged connections.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

pub(super) struct Pool {
    /// The newest last.
    idle: Mutex<VecDeque<Idle>>,
    timeout: Duration,
    /// Wakes the task that closes aged connections: the pool is no longer empty, or has gone.
    changed: Arc<Notify>,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

impl Pool {
    pub(super) fn new(timeout: Duration) -> Arc<Self> {
        let pool = Arc::new(Self { idle: Mutex::default(), timeout, changed: Arc::default() });
        // Ends with the pool.
        tokio::spawn(close_aged(Arc::downgrade(&pool), Arc::clone(&pool.changed)));
        pool
    }

    /// A connection that is open, as far as is known, and ready for a request.
    pub(super) fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock();
        while let Some(Idle { sender, since }) = idle.pop_back() {
            if since.elapsed() >= self.timeout {
                // The others are older.
                idle.clear();
                return None;
            }
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    /// Keeps a connection that is ready for another request.
    pub(super) fn put(&self, sender: Sender) {
        if self.timeout.is_zero() || sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock();
        let is_first = idle.is_empty();
        idle.push_back(Idle { sender, since: Instant::now() });
        drop(idle);
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Closes aged connections. Returns whether any connection is left.
    fn close_aged(&self) -> bool {
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.since.elapsed() >= self.timeout || oldest.sender.is_closed()) {
            idle.pop_front();
        }
        !idle.is_empty()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.changed.notify_one();
    }
}

/// Closes aged connections as long as the pool is there. Sleeps while it is empty.
async fn close_aged(pool: Weak<Pool>, changed: Arc<Notify>) {
    while let Some(has_idle) = pool.upgrade().map(|pool| pool.close_aged()) {
        if !has_idle {
            changed.notified().await;
        }
        let Some(timeout) = pool.upgrade().map(|pool| pool.timeout) else { return };
        sleep((timeout / 4).max(MIN_INTERVAL)).await;
    }
}
