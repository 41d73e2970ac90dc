//! The links there are: one for each address where the fleet needs one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fleet::{Address, Fleet};
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::link::{self, Ear, Presenter};

/// All links, each a task that is joined when it has ended.
pub(super) struct Links {
    ear: Ear,
    presenter: Presenter,
    running: HashMap<Address, Running>,
    tasks: JoinSet<()>,
}

/// A link that runs.
struct Running {
    task: Id,
    stop: CancellationToken,
    relist: Arc<Notify>,
}

impl Links {
    pub(super) fn new(ear: Ear, presenter: Presenter) -> Self {
        Self { ear, presenter, running: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Starts what is missing and stops what is needed no more.
    pub(super) fn follow(&mut self, fleet: &Fleet) {
        let needed: HashSet<&Address> = fleet.watched_addresses().collect();
        self.running.retain(|address, link| {
            let stays = needed.contains(address);
            if !stays {
                link.stop.cancel();
            }
            stays
        });
        for address in needed {
            if !self.running.contains_key(address) {
                let stop = CancellationToken::new();
                let relist = Arc::new(Notify::new());
                let (presenter, ear) = (self.presenter.clone(), self.ear.clone());
                let link = link::run(address.clone(), presenter, ear, Arc::clone(&relist), stop.clone());
                let task = self.tasks.spawn(link);
                self.running.insert(address.clone(), Running { task: task.id(), stop, relist });
            }
        }
    }

    /// Has the link to a pod ask for the pod's snapshot anew.
    pub(super) fn relist(&self, address: &Address) {
        if let Some(link) = self.running.get(address) {
            link.relist.notify_one();
        }
    }

    /// Waits until a link has ended. One that failed is said; whoever follows the fleet next starts it again.
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
