//! The open connections of a service. When file descriptors run short, the connections that have been idle longest close.
//!
//! Requests take no lock here: a connection is registered when it is accepted, and all are examined only when one must close.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::warn;

use super::activity::{Activity, Stage};

/// The share of the open connections that close together: one in this many. All connections are examined each time, so that a
/// larger share means fewer examinations.
const CLOSED_SHARE: usize = 16;

/// How many connections close together at least.
const MIN_CLOSED: usize = 8;

/// The limit if the limit of open files is unknown.
const NO_LIMIT: usize = usize::MAX;

/// The open connections of all listeners of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The number of connections above which idle ones close.
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    connections: HashMap<u64, Arc<Activity>>,
}

impl Connections {
    /// Keeps at most `limit` connections: above that, idle ones close.
    pub fn at_most(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, open: Mutex::default() }))
    }

    /// Keeps as many connections as the process may have open files, less a reserve for other files.
    pub fn within_open_files() -> Self {
        let limit = match rlimit::Resource::NOFILE.get() {
            Ok((files, _)) => {
                let reserve = (files / 8).clamp(16, 128);
                usize::try_from(files.saturating_sub(reserve)).unwrap_or(NO_LIMIT)
            }
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "the limit of open files is unknown");
                NO_LIMIT
            }
        };
        Self::at_most(limit)
    }

    /// Registers an accepted connection. At the limit, closes idle ones.
    pub(super) fn open(&self) -> OpenConnection {
        let activity = Arc::new(Activity::new());
        let mut open = self.0.open.lock();
        if open.connections.len() >= self.0.limit {
            open.close_idle();
        }
        open.last += 1;
        let number = open.last;
        open.connections.insert(number, Arc::clone(&activity));
        drop(open);
        OpenConnection { connections: self.clone(), number, activity }
    }

    /// Closes some connections: those that have been idle longest, then those that have been receiving a head longest. Returns
    /// their number.
    pub(super) fn close_idle(&self) -> usize {
        self.0.open.lock().close_idle()
    }
}

impl Open {
    fn close_idle(&self) -> usize {
        let count = (self.connections.len() / CLOSED_SHARE).max(MIN_CLOSED);
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

/// An open connection, registered until dropped.
#[derive(Debug)]
pub(super) struct OpenConnection {
    connections: Connections,
    number: u64,
    pub(super) activity: Arc<Activity>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.0.open.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connections_close_first_and_none_that_serves() {
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
