//! Whether the waits of a deployment fit into each other: pure arithmetic on what the manifests say.
//!
//! Kubernetes kills a pod when its grace period is over, whoever is still there. So everything that a pod waits for at its
//! end has to fit into it, routes have to notice before the pod is gone, and an autoscaler must not be faster than drains.

mod read;

use std::time::Duration;

pub use read::{ReadError, read};

/// What a pod keeps for closing connections and writing what is unwritten.
pub const CLOSING: Duration = Duration::from_secs(5);

/// How long the maintenance page takes to end.
const PAGE_CLOSING: Duration = Duration::from_secs(1);

/// A pod waits for its store and its maintenance switch, some seconds each, on a machine that may be busy; it gets so long
/// at least.
const MIN_STARTUP: Duration = Duration::from_secs(30);

/// How a user pod ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWaits {
    /// The Deployment.
    pub name: String,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// What `preStop` takes out of it.
    pub pre_stop: Duration,
    /// `DRAIN_TIMEOUT`.
    pub drain: Duration,
    /// `PROPAGATION_WAIT`.
    pub propagation: Duration,
    /// `TERMINATION_GRACE_PERIOD`, what the pod believes.
    pub told: Option<Duration>,
    /// Whether the pod stays ready until its last user is gone.
    pub holds_readiness: bool,
    /// How long an unready pod may go unnoticed.
    pub unready: Duration,
    /// How long a dead pod may go unnoticed.
    pub dead: Duration,
    /// How long a pod may take to start.
    pub startup: Duration,
    /// After how long an update counts as failed.
    pub progress: Duration,
    /// How late a pod may hear of the maintenance switch.
    pub switch: Duration,
}

/// How the maintenance page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageWaits {
    /// The Deployment.
    pub name: String,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// How long it goes on serving after its deletion.
    pub pre_stop: Duration,
}

/// How fast pods are taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleDownWaits {
    /// How long it has to be quiet first.
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
    /// From a pod's deletion to its end, when somebody stays until the last second.
    pub fn end(&self) -> Duration {
        self.pre_stop + self.drain + self.propagation + CLOSING
    }

    /// From the move of the switch to the moment at which every pod is empty.
    pub fn maintenance(&self) -> Duration {
        self.switch + self.drain
    }

    fn faults(&self, faults: &mut Vec<String>) {
        let name = &self.name;
        let [grace, end, pre_stop, drain, propagation] =
            [self.grace, self.end(), self.pre_stop, self.drain, self.propagation].map(shown);
        if self.end() > self.grace {
            faults.push(format!(
                "{name}: preStop {pre_stop} + DRAIN_TIMEOUT {drain} + PROPAGATION_WAIT {propagation} + closing {} = {end}, \
                 and terminationGracePeriodSeconds grants {grace}: grant {} or more, or shorten a wait",
                shown(CLOSING),
                self.end().as_secs()
            ));
        }
        let granted = self.grace.saturating_sub(self.pre_stop);
        match self.told {
            Some(told) if told == granted => {}
            Some(told) => faults.push(format!(
                "{name}: TERMINATION_GRACE_PERIOD says {}, and what is left of terminationGracePeriodSeconds after preStop \
                 is {}: say that",
                shown(told),
                shown(granted)
            )),
            None => faults.push(format!("{name}: TERMINATION_GRACE_PERIOD is not set: say {}", shown(granted))),
        }
        if !self.holds_readiness {
            faults.push(format!("{name}: READINESS_WHILE_DRAINING is not hold: users who are to save are cut off"));
        }
        if self.unready >= self.propagation {
            faults.push(format!(
                "{name}: an unready pod goes unnoticed for up to {}, and is gone after PROPAGATION_WAIT {propagation}: probe \
                 readiness more often",
                shown(self.unready)
            ));
        }
        if self.dead <= self.unready {
            faults.push(format!(
                "{name}: a pod is restarted after {}, before it is taken out of rotation ({}): probe liveness less often",
                shown(self.dead),
                shown(self.unready)
            ));
        }
        if self.startup < MIN_STARTUP || self.startup >= self.progress {
            faults.push(format!(
                "{name}: the startup probe grants {}: between {} and progressDeadlineSeconds ({}) it should be",
                shown(self.startup),
                shown(MIN_STARTUP),
                shown(self.progress)
            ));
        }
    }
}

impl Waits {
    /// What does not fit, each with what to do about it. Empty where all is well.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        self.user.faults(&mut faults);
        let page = &self.page;
        if page.pre_stop < self.user.propagation {
            faults.push(format!(
                "{}: preStop {} is shorter than the {} that routes are given to forget a pod (PROPAGATION_WAIT)",
                page.name,
                shown(page.pre_stop),
                shown(self.user.propagation)
            ));
        }
        if page.pre_stop + PAGE_CLOSING > page.grace {
            faults.push(format!(
                "{}: preStop {} + closing {} do not fit into terminationGracePeriodSeconds {}",
                page.name,
                shown(page.pre_stop),
                shown(PAGE_CLOSING),
                shown(page.grace)
            ));
        }
        if let Some(scaling) = &self.scale_down {
            let end = self.user.end();
            for (what, wait) in [("stabilizationWindowSeconds", scaling.quiet), ("periodSeconds", scaling.pace)] {
                if wait < end {
                    faults.push(format!(
                        "autoscaler: scaleDown {what} is {}, and a drain takes up to {}: pods that drain would pile up; \
                         say {}",
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
