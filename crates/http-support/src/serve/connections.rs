//! The open connections of a service, so that the ones that have been idle longest close where descriptors run short.
//!
//! A request touches nothing here: a connection is entered when it is accepted, and all are looked at only in need.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tracing::warn;

use super::activity::{Activity, Stage};

/// Of so many connections one closes at a time, so that all are looked at once for many newcomers.
const SHARE_CLOSED: usize = 16;

/// Connections that close at a time at least.
const MIN_CLOSED: usize = 8;

/// Without a known limit of open files nothing but the system's refusal closes connections.
const NO_LIMIT: usize = usize::MAX;

/// The open connections of all listeners of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Above so many, idle ones close.
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    connections: HashMap<u64, Arc<Activity>>,
}

impl Connections {
    /// Keeps so many connections; above that idle ones close.
    pub fn at_most(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, open: Mutex::default() }))
    }

    /// Keeps as many connections as the process may have files open, less some for everything else.
    pub fn within_open_files() -> Self {
        let limit = match rlimit::Resource::NOFILE.get() {
            Ok((files, _)) => {
                let spare = (files / 8).clamp(16, 128);
                usize::try_from(files.saturating_sub(spare)).unwrap_or(NO_LIMIT)
            }
            Err(error) => {
                warn!(%error, "the limit of open files is unknown");
                NO_LIMIT
            }
        };
        Self::at_most(limit)
    }

    /// Enters a connection that was accepted, and makes room for it where there is none.
    pub(super) fn open(&self) -> OpenConnection {
        let activity = Arc::new(Activity::new());
        let mut open = self.lock();
        if open.connections.len() >= self.0.limit {
            open.close_idle();
        }
        open.last += 1;
        let number = open.last;
        open.connections.insert(number, Arc::clone(&activity));
        drop(open);
        OpenConnection { connections: self.clone(), number, activity }
    }

    /// Tells some connections to close: those that have been idle longest, then those whose head is late. Gives how many.
    pub(super) fn close_idle(&self) -> usize {
        self.lock().close_idle()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // A poisoned lock is safe to reuse: every critical section changes one entry.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn close_idle(&self) -> usize {
        let count = (self.connections.len() / SHARE_CLOSED).max(MIN_CLOSED);
        let mut idle: Vec<(bool, Instant, &Activity)> = Vec::new();
        for activity in self.connections.values() {
            match activity.stage() {
                Stage::New { since } | Stage::Idle { since } => idle.push((false, since, activity)),
                Stage::Head { since } => idle.push((true, since, activity)),
                Stage::Serving { .. } => {}
            }
        }
        if idle.len() > count {
            idle.select_nth_unstable_by_key(count, |(is_head, since, _)| (*is_head, *since));
            idle.truncate(count);
        }
        for (_, _, activity) in &idle {
            activity.evict();
        }
        idle.len()
    }
}

/// A connection, entered until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection {
    connections: Connections,
    number: u64,
    pub(super) activity: Arc<Activity>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_that_have_been_idle_longest_close_first_and_none_that_serves() {
        let connections = Connections::at_most(20);
        let mut open = Vec::new();
        for number in 0..20 {
            let connection = connections.open();
            let serving = (number < 2).then(|| connection.activity.serve());
            if number < 4 {
                connection.activity.received();
            }
            open.push((connection, serving));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let _newcomer = connections.open();
        let evicted: Vec<_> = (0..20).filter(|number| open[*number].0.activity.is_evicted()).collect();
        assert_eq!(evicted, (4..12).collect::<Vec<_>>());
        open.truncate(4);
        assert_eq!(connections.close_idle(), 3, "two heads and the newcomer");
    }
}
