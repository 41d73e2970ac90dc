//! For how long somebody who has signed in may stay on an open connection: until they sign out, or have been in for too
//! long. That they are idle does not count: the connection is what they do.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use tokio::sync::watch;

use super::lock::Lock;
use super::tickets::Ticket;

/// A sign-in that an open stream depends on.
#[derive(Debug)]
pub(crate) struct Stay {
    lock: Arc<Lock>,
    ticket: Ticket,
    sign_outs: watch::Receiver<()>,
}

impl Lock {
    /// The sign-in that a request comes with, to be watched; none where it comes with none.
    pub(crate) fn stay(self: &Arc<Self>, headers: &HeaderMap) -> Option<Stay> {
        // In this order: a sign-out between the two is heard.
        let sign_outs = self.tickets.sign_outs();
        let ticket = self.tickets.read(headers, Instant::now())?;
        Some(Stay { lock: Arc::clone(self), ticket, sign_outs })
    }
}

impl Stay {
    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.lock.tickets.is_over(self.ticket, Instant::now())
    }

    /// Waits until a sign-out has ended it.
    ///
    /// # Cancel safety
    /// Nothing is missed by asking again.
    pub(crate) async fn over(&mut self) {
        while !self.is_over() {
            if self.sign_outs.changed().await.is_err() {
                return;
            }
        }
    }
}
