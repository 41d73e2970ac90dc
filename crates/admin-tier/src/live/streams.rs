//! The open event streams: how many there may be, and how they are ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Streams that may be open at a time: operators are few, and what is left open is closed when it is not looked at.
const MOST: usize = 256;

/// All open streams. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    places: Arc<Semaphore>,
    cut: Arc<AtomicU64>,
}

impl Streams {
    /// None yet. Those that open end when `stop` is cancelled.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { tasks: TaskTracker::new(), stop, places: Arc::new(Semaphore::new(MOST)), cut: Arc::default() }
    }

    /// Waits until all have ended, once they were told to.
    pub(crate) async fn ended(self) {
        self.stop.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        MOST - self.places.available_permits()
    }

    /// How many were cut, because nobody read what they said.
    pub(crate) fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// A place for one more, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    pub(super) fn was_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }
}
