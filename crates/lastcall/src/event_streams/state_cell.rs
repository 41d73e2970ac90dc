//! A value that many follow: each follower sees the latest one, and is woken when it has changed. What tokio's `watch` is, in a third of
//! its memory: a session has one, and a watch channel spreads its followers over eight lists of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Changes the value.
#[derive(Debug, Default)]
pub(crate) struct StateSender<T>(Arc<Cell<T>>);

/// Follows the value.
#[derive(Debug)]
pub(crate) struct StateReceiver<T> {
    cell: Arc<Cell<T>>,
    seen: u32,
}

#[derive(Debug, Default)]
struct Cell<T> {
    value: Mutex<T>,
    /// How often the value has changed. Written under the lock of the value.
    version: AtomicU32,
    changed: Notify,
}

impl<T> StateSender<T> {
    /// Follows the value, of which the present state counts as seen.
    pub(super) fn subscribe(&self) -> StateReceiver<T> {
        StateReceiver { cell: Arc::clone(&self.0), seen: self.0.version.load(Ordering::Acquire) }
    }

    /// The value. Held briefly: changes wait for it.
    pub(super) fn borrow(&self) -> MutexGuard<'_, T> {
        self.0.value.lock()
    }

    /// Changes the value, and wakes all followers.
    pub(super) fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// The same where `modify` says that it has changed something.
    pub(super) fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) {
        let mut value = self.0.value.lock();
        if !modify(&mut value) {
            return;
        }
        self.0.version.fetch_add(1, Ordering::Release);
        drop(value);
        self.0.changed.notify_waiters();
    }
}

impl<T> Clone for StateReceiver<T> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell), seen: self.seen }
    }
}

impl<T> StateReceiver<T> {
    /// The latest value. Held briefly: changes wait for it.
    pub(crate) fn borrow(&self) -> MutexGuard<'_, T> {
        self.cell.value.lock()
    }

    /// The same, which counts as seen.
    pub(crate) fn borrow_and_update(&mut self) -> MutexGuard<'_, T> {
        let value = self.cell.value.lock();
        self.seen = self.cell.version.load(Ordering::Acquire);
        value
    }

    /// Counts the latest value as seen.
    pub(crate) fn mark_unchanged(&mut self) {
        self.seen = self.cell.version.load(Ordering::Acquire);
    }

    /// Waits until there is a value that was not seen, which counts as seen then.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub(crate) async fn changed(&mut self) {
        loop {
            // Before the version is compared: it is woken by a change that comes in between.
            let changed = self.cell.changed.notified();
            let version = self.cell.version.load(Ordering::Acquire);
            if version != self.seen {
                self.seen = version;
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn every_follower_hears_of_a_change_once_and_of_none_that_it_has_seen() {
        let sender = StateSender::<u32>::default();
        let (mut first, mut second) = (sender.subscribe(), sender.subscribe());
        assert_eq!(first.changed().now_or_never(), None);
        let waiting = tokio::spawn(async move {
            first.changed().await;
            let value = *first.borrow();
            (value, first)
        });
        tokio::task::yield_now().await;
        sender.send_modify(|value| *value = 1);
        sender.send_if_modified(|_| false);
        let (value, mut first) = waiting.await.unwrap();
        assert_eq!((value, first.changed().now_or_never()), (1, None));
        assert_eq!((second.changed().now_or_never(), second.changed().now_or_never()), (Some(()), None));
        sender.send_modify(|value| *value = 2);
        assert_eq!(*first.borrow_and_update(), 2);
        assert_eq!(first.changed().now_or_never(), None);
        sender.send_modify(|value| *value = 3);
        second.mark_unchanged();
        assert_eq!((second.changed().now_or_never(), sender.subscribe().changed().now_or_never()), (None, None));
    }
}
