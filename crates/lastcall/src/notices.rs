//! The notices of a pod, for an app's own jobs: work that is done beside requests and had better stop before the pod does.

use std::sync::Arc;

use tokio::sync::watch;

use crate::notice::{Broadcast, DrainNotice};
use crate::service_state::ServiceState;

/// Follows the notices of a pod. Reading one notifies no session.
#[derive(Clone)]
pub struct Notices {
    state: Arc<ServiceState>,
    broadcast: watch::Receiver<Arc<Broadcast>>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").field("current", &self.current()).finish_non_exhaustive()
    }
}

impl Notices {
    pub(crate) fn new(state: Arc<ServiceState>) -> Self {
        let broadcast = state.broadcast.subscribe();
        Self { state, broadcast }
    }

    /// Gives the notice that runs now, if any.
    pub fn current(&self) -> Option<DrainNotice> {
        let broadcast = Arc::clone(&self.broadcast.borrow());
        let (notice, terms) = broadcast.notice()?;
        Some(DrainNotice::new(notice.reason, notice.deadline, terms, self.state.clock.now()))
    }

    /// Waits for the next change, and gives the notice that runs then: `None` where one was cancelled, or is over.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub async fn changed(&mut self) -> Option<DrainNotice> {
        if self.broadcast.changed().await.is_err() {
            // The sender lives as long as the state, which lives here.
            std::future::pending::<()>().await;
        }
        self.current()
    }

    /// Waits until a notice runs, and gives it; at once where one does.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn started(&mut self) -> DrainNotice {
        self.broadcast.mark_unchanged();
        loop {
            match self.current() {
                Some(notice) => return notice,
                None => _ = self.changed().await,
            }
        }
    }
}
