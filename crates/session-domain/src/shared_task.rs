//! A task as the pods of one store know it.

use std::time::Duration;

use crate::ids::{PodName, TaskId};
use crate::task::{TaskLease, TaskName, TaskProgress};

/// A task of a session, run by one pod and known to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedTask {
    /// The task's id.
    pub id: TaskId,
    /// The pod that runs it, wherever its session lives.
    pub holder: PodName,
    /// What it is.
    pub name: TaskName,
    /// How much of it is done.
    pub progress: Option<TaskProgress>,
    /// How long it runs without being renewed; `None` for a task of its holder's own code.
    pub lease: Option<TaskLease>,
    /// How long it counts as running from now on. A duration, since the clocks of pods differ.
    pub remaining: Duration,
}

impl SharedTask {
    /// Whether its clients may renew it now.
    pub const fn is_renewable(&self) -> bool {
        self.lease.is_some() && !self.remaining.is_zero()
    }
}
