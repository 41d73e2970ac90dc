//! The choices an operator makes about a drain.

use std::time::Duration;

/// When `/ready` fails in maintenance (`MAINTENANCE_READINESS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaintenanceReadiness {
    /// Once the last user is gone or the countdown has ended: users can save while they are being asked to.
    #[default]
    AfterDrain,
    /// At once.
    Immediate,
    /// Not at all: the pod itself serves the maintenance page.
    Never,
}

/// What `/ready` answers while users are still there after SIGTERM (`READINESS_WHILE_DRAINING`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadinessWhileDraining {
    /// 503 at once.
    #[default]
    Fail,
    /// 200 until the last user is gone, so that sticky users still reach the pod.
    Hold,
}

/// What a second signal does (`SECOND_SIGNAL`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondSignal {
    /// Ends the waiting.
    #[default]
    Hurry,
    /// Is logged.
    Ignore,
}

/// The rules a pod drains by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From the notice to the forced end.
    pub drain_timeout: Duration,
    /// How often the remaining users are logged; at least a millisecond.
    pub progress_interval: Duration,
    /// From the last user gone to the exit.
    pub propagation_wait: Duration,
    /// When `/ready` fails in maintenance.
    pub maintenance_readiness: MaintenanceReadiness,
    /// What `/ready` answers during the drain.
    pub readiness_while_draining: ReadinessWhileDraining,
    /// What a second signal does.
    pub second_signal: SecondSignal,
}

impl Default for Policy {
    /// 60 s, every 10 s, 15 s, and the first variant of each choice.
    fn default() -> Self {
        Self {
            drain_timeout: Duration::from_secs(60),
            progress_interval: Duration::from_secs(10),
            propagation_wait: Duration::from_secs(15),
            maintenance_readiness: MaintenanceReadiness::default(),
            readiness_while_draining: ReadinessWhileDraining::default(),
            second_signal: SecondSignal::default(),
        }
    }
}
