//! The fleet task's access to the shared store: which pods it asks about, and what the last check found.

use std::future::pending;
use std::sync::Arc;

use session_domain::PodName;
use tokio::sync::watch;

use super::Orphans;

/// The pods that the fleet asks about, and for each whether its sessions in the store are wanted.
pub(crate) type PodQueries = Vec<(PodName, bool)>;

/// The fleet task's end.
#[derive(Debug)]
pub(crate) struct StoreLookup {
    queries: watch::Sender<PodQueries>,
    found: watch::Receiver<Arc<Orphans>>,
}

impl StoreLookup {
    /// Creates the fleet task's end, and the receiver of its queries.
    pub(crate) fn new(found: watch::Receiver<Arc<Orphans>>) -> (Self, watch::Receiver<PodQueries>) {
        let (queries, receiver) = watch::channel(PodQueries::default());
        (Self { queries, found }, receiver)
    }

    /// Sets what the next check asks about.
    pub(crate) fn set_queries(&self, queries: PodQueries) {
        self.queries.send_if_modified(|known| {
            let has_changed = *known != queries;
            *known = queries;
            has_changed
        });
    }

    /// Waits until the store was checked; for ever where there is none.
    pub(crate) async fn changed(lookup: Option<&mut Self>) -> bool {
        if let Some(lookup) = lookup
            && lookup.found.changed().await.is_ok()
        {
            return true;
        }
        pending().await
    }

    /// Returns the result of the last check.
    pub(crate) fn latest(&mut self) -> Arc<Orphans> {
        Arc::clone(&self.found.borrow_and_update())
    }
}
