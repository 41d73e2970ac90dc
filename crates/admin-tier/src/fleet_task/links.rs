//! The running links: one for each address that the fleet watches.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fleet::{Address, Fleet};
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::link::{self, AttachBearer, PodEventSender};

/// All links. Each is a task that is joined when it ends.
pub(super) struct Links {
    events: PodEventSender,
    attach_bearer: AttachBearer,
    running: HashMap<Address, RunningLink>,
    tasks: JoinSet<()>,
}

struct RunningLink {
    task: Id,
    stop: CancellationToken,
    relist: Arc<Notify>,
}

impl Links {
    pub(super) fn new(events: PodEventSender, attach_bearer: AttachBearer) -> Self {
        Self { events, attach_bearer, running: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Starts links that are missing and stops those that the fleet no longer needs.
    pub(super) fn follow(&mut self, fleet: &Fleet) {
        let watched: HashSet<&Address> = fleet.watched_addresses().collect();
        self.running.retain(|address, link| {
            let is_watched = watched.contains(address);
            if !is_watched {
                link.stop.cancel();
            }
            is_watched
        });
        for address in watched {
            if !self.running.contains_key(address) {
                let stop = CancellationToken::new();
                let relist = Arc::new(Notify::new());
                let (attach_bearer, events) = (self.attach_bearer.clone(), self.events.clone());
                let link = link::run(address.clone(), attach_bearer, events, Arc::clone(&relist), stop.clone());
                let task = self.tasks.spawn(link);
                self.running.insert(address.clone(), RunningLink { task: task.id(), stop, relist });
            }
        }
    }

    /// Makes the link to a pod request a new snapshot.
    pub(super) fn relist(&self, address: &Address) {
        if let Some(link) = self.running.get(address) {
            link.relist.notify_one();
        }
    }

    /// Waits until a link has ended. A link that panicked is logged; the next [`Links::follow`] starts it again.
    pub(super) async fn ended(&mut self) {
        let task = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(failure)) => {
                error!(error = &failure as &dyn std::error::Error, "a link failed");
                failure.id()
            }
            None => return std::future::pending().await,
        };
        self.running.retain(|_, link| link.task != task);
    }

    /// Stops all links and waits for their end.
    pub(super) async fn close(mut self) {
        for link in self.running.values() {
            link.stop.cancel();
        }
        while !self.tasks.is_empty() {
            self.ended().await;
        }
    }
}
