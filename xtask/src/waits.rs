//! Whether the waits of a deployment fit into each other: pure arithmetic on the values in the manifests.
//!
//! Kubernetes kills a pod when its grace period is over, even if users are present. All waits of a pod's shutdown therefore have to
//! fit into it, routes have to notice before the pod is gone, and an autoscaler must not be faster than drains.

mod read;
mod sidecar;

use std::time::Duration;

pub use read::{DATABASE_CLOSE_TIMEOUT, ReadError, read};
pub use sidecar::{SidecarWaits, StopHook, sidecars};

/// The time that a pod reserves for closing connections and writing pending changes.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the maintenance page takes to exit.
const PAGE_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The shortest time that a pod needs to start: it waits some seconds each for its store and its maintenance switch, on a machine
/// that may be busy.
const MIN_STARTUP: Duration = Duration::from_secs(30);

/// The waits of a user pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWaits {
    /// The Deployment.
    pub name: String,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// The part of it that `preStop` takes.
    pub pre_stop: Duration,
    /// `DRAIN_TIMEOUT`.
    pub drain: Duration,
    /// `TASK_GRACE`.
    pub task_grace: Duration,
    /// `PROPAGATION_WAIT`.
    pub propagation: Duration,
    /// The waits of a handoff, where `HANDOFF` is on.
    pub handoff: Option<HandoffWaits>,
    /// How long the pod may take to close its database.
    pub closers: Duration,
    /// `TERMINATION_GRACE_PERIOD`, the grace period as the pod knows it.
    pub configured_grace: Option<Duration>,
    /// Whether the pod stays ready until its last user has gone.
    pub holds_readiness: bool,
    /// How long an unready pod may go unnoticed.
    pub unready: Duration,
    /// How long a dead pod may go unnoticed.
    pub dead: Duration,
    /// How long a pod may take to start.
    pub startup: Duration,
    /// After how long an update counts as failed.
    pub progress: Duration,
    /// How late a pod may notice a change of the maintenance switch.
    pub switch: Duration,
}

/// The waits of a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoffWaits {
    /// `HANDOFF_DELAY`.
    pub delay: Duration,
    /// `HANDOFF_QUIET`.
    pub quiet: Duration,
}

/// The waits of the maintenance page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageWaits {
    /// The Deployment.
    pub name: String,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// How long it continues to serve after its deletion.
    pub pre_stop: Duration,
}

/// How fast an autoscaler removes pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleDownWaits {
    /// How long the load has to be low first.
    pub quiet: Duration,
    /// The time between one removal and the next.
    pub pace: Duration,
}

/// All waits of one set of manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// The user tier's.
    pub user: UserWaits,
    /// The maintenance page's.
    pub page: PageWaits,
    /// The autoscaler's, where there is one.
    pub scale_down: Option<ScaleDownWaits>,
}

impl UserWaits {
    /// Time from a pod's deletion to its exit, if work in progress takes as long as it may.
    pub fn end(&self) -> Duration {
        self.pre_stop + self.drain + self.task_grace + self.propagation + self.closers + SHUTDOWN_TIMEOUT
    }

    /// Time from the change of the maintenance switch until every pod is empty.
    pub fn maintenance(&self) -> Duration {
        self.switch + self.drain + self.task_grace
    }

    fn faults(&self, faults: &mut Vec<String>) {
        let name = &self.name;
        let [grace, end, pre_stop] = [self.grace, self.end(), self.pre_stop].map(shown);
        let [drain, task_grace, propagation, closers] =
            [self.drain, self.task_grace, self.propagation, self.closers].map(shown);
        if self.end() > self.grace {
            faults.push(format!(
                "{name}: preStop {pre_stop} + DRAIN_TIMEOUT {drain} + TASK_GRACE {task_grace} + PROPAGATION_WAIT {propagation} + \
                 database {closers} + closing {} = {end}, and terminationGracePeriodSeconds grants {grace}: grant {} or more, or shorten a wait",
                shown(SHUTDOWN_TIMEOUT),
                self.end().as_secs()
            ));
        }
        if let Some(HandoffWaits { delay, quiet }) = self.handoff.filter(|it| it.delay + it.quiet >= self.drain / 2) {
            faults.push(format!(
                "{name}: HANDOFF_DELAY {} + HANDOFF_QUIET {} are not below half of DRAIN_TIMEOUT {drain}: shorten them, or grant \
                 a longer drain",
                shown(delay),
                shown(quiet)
            ));
        }
        let granted = self.grace.saturating_sub(self.pre_stop);
        match self.configured_grace {
            Some(configured) if configured == granted => {}
            Some(configured) => faults.push(format!(
                "{name}: TERMINATION_GRACE_PERIOD says {}, and what is left of terminationGracePeriodSeconds after preStop \
                 is {}: set that",
                shown(configured),
                shown(granted)
            )),
            None => faults.push(format!("{name}: TERMINATION_GRACE_PERIOD is not set: set {}", shown(granted))),
        }
        let Self { holds_readiness, unready, dead, propagation, .. } = *self;
        Probing { holds_readiness, unready, dead, propagation }.faults(name, "a pod", faults);
        if self.startup < MIN_STARTUP || self.startup >= self.progress {
            faults.push(format!(
                "{name}: the startup probe grants {}: it should be between {} and progressDeadlineSeconds ({})",
                shown(self.startup),
                shown(MIN_STARTUP),
                shown(self.progress)
            ));
        }
    }
}

/// What probes notice, and when.
struct Probing {
    holds_readiness: bool,
    unready: Duration,
    dead: Duration,
    propagation: Duration,
}

impl Probing {
    /// Adds the faults. `restarted`: what a failing liveness probe restarts.
    fn faults(&self, name: &str, restarted: &str, faults: &mut Vec<String>) {
        if !self.holds_readiness {
            faults.push(format!(
                "{name}: READINESS_WHILE_DRAINING is not hold: users lose their connection while they save"
            ));
        }
        if self.unready >= self.propagation {
            faults.push(format!(
                "{name}: an unready pod goes unnoticed for up to {}, and is gone after PROPAGATION_WAIT {}: probe readiness more often",
                shown(self.unready),
                shown(self.propagation)
            ));
        }
        if self.dead <= self.unready {
            faults.push(format!(
                "{name}: {restarted} is restarted after {}, before it is taken out of rotation ({}): probe liveness less often",
                shown(self.dead),
                shown(self.unready)
            ));
        }
    }
}

impl Waits {
    /// The waits that do not fit, each with what to do about it. Empty if all fit.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        self.user.faults(&mut faults);
        let page = &self.page;
        if page.pre_stop < self.user.propagation {
            faults.push(format!(
                "{}: preStop {} is shorter than the {} that routes get to drop a pod (PROPAGATION_WAIT)",
                page.name,
                shown(page.pre_stop),
                shown(self.user.propagation)
            ));
        }
        if page.pre_stop + PAGE_SHUTDOWN_TIMEOUT > page.grace {
            faults.push(format!(
                "{}: preStop {} + closing {} do not fit into terminationGracePeriodSeconds {}",
                page.name,
                shown(page.pre_stop),
                shown(PAGE_SHUTDOWN_TIMEOUT),
                shown(page.grace)
            ));
        }
        if let Some(scaling) = &self.scale_down {
            let end = self.user.end();
            for (what, wait) in [("stabilizationWindowSeconds", scaling.quiet), ("periodSeconds", scaling.pace)] {
                if wait < end {
                    faults.push(format!(
                        "autoscaler: scaleDown {what} is {}, and a drain takes up to {}: draining pods would pile up; \
                         set {}",
                        shown(wait),
                        shown(end),
                        end.as_secs_f64().ceil()
                    ));
                }
            }
        }
        faults
    }
}

fn shown(wait: Duration) -> String {
    format!("{}s", wait.as_secs_f64())
}

#[cfg(test)]
mod tests;
