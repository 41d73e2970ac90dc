//! The options by which a pod drains.

use std::time::Duration;

/// When `/ready` fails in maintenance (`MAINTENANCE_READINESS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaintenanceReadiness {
    /// Once no user is present or the countdown has ended, so that users can save until then.
    #[default]
    AfterDrain,
    /// At once.
    Immediate,
    /// Never: the pod itself serves the maintenance page.
    Never,
}

/// What `/ready` answers after SIGTERM while users are present (`READINESS_WHILE_DRAINING`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadinessWhileDraining {
    /// 503 at once.
    #[default]
    Fail,
    /// 200 until no user is present, so that requests with a sticky cookie still reach the pod.
    Hold,
}

/// What a second signal does (`SECOND_SIGNAL`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondSignal {
    /// It ends the drain at once.
    #[default]
    Hurry,
    /// It is only logged.
    Ignore,
}

/// How sessions move to other pods during a shutdown (`HANDOFF=on`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoffPolicy {
    /// The time from the signal to the first session that is asked to move (`HANDOFF_DELAY`).
    pub delay: Duration,
    /// How many sessions are asked a second, at least (`HANDOFF_RATE`).
    pub rate: u64,
    /// How long after being asked a session that is still here is shown the notice (`HANDOFF_QUIET`).
    pub quiet: Duration,
}

impl Default for HandoffPolicy {
    /// 5 s, 50 a second, 10 s.
    fn default() -> Self {
        Self { delay: Duration::from_secs(5), rate: 50, quiet: Duration::from_secs(10) }
    }
}

impl HandoffPolicy {
    /// Whether delay and quiet time fit into the half of `drain_timeout` after which every session is shown the notice.
    pub fn fits(&self, drain_timeout: Duration) -> bool {
        self.delay.saturating_add(self.quiet) < drain_timeout / 2
    }
}

/// The options by which a pod drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The time from the notice to the forced end (`DRAIN_TIMEOUT`).
    pub drain_timeout: Duration,
    /// How often the number of remaining users is logged (`DRAIN_PROGRESS_INTERVAL`); at least 1 ms.
    pub progress_interval: Duration,
    /// How long after the deadline protected work is waited for (`TASK_GRACE`).
    pub task_grace: Duration,
    /// The time from the end of the drain to the exit (`PROPAGATION_WAIT`).
    pub propagation_wait: Duration,
    /// How long closing the registered resources may take; `None` if none is registered.
    pub close_timeout: Option<Duration>,
    /// How sessions move to other pods; `None`: their users are asked to leave.
    pub handoff: Option<HandoffPolicy>,
    /// When `/ready` fails in maintenance.
    pub maintenance_readiness: MaintenanceReadiness,
    /// What `/ready` answers during the drain.
    pub readiness_while_draining: ReadinessWhileDraining,
    /// What a second signal does.
    pub second_signal: SecondSignal,
}

impl Default for Policy {
    /// 60 s, 10 s, no time for protected work, 15 s, no resources, and the first variant of each option.
    fn default() -> Self {
        Self {
            drain_timeout: Duration::from_secs(60),
            progress_interval: Duration::from_secs(10),
            task_grace: Duration::ZERO,
            propagation_wait: Duration::from_secs(15),
            close_timeout: None,
            handoff: None,
            maintenance_readiness: MaintenanceReadiness::default(),
            readiness_while_draining: ReadinessWhileDraining::default(),
            second_signal: SecondSignal::default(),
        }
    }
}
