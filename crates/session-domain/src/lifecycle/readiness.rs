//! The rule by which a pod is unready, as far as its lifecycle is concerned.

use super::machine::Lifecycle;
use super::policy::MaintenanceReadiness;
use super::state::State;

/// What `/ready` answers, as far as the lifecycle is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// 200.
    Ready,
    /// 503, because of maintenance.
    Maintenance,
    /// 503, because the pod shuts down.
    ShuttingDown,
}

impl Lifecycle {
    /// What `/ready` answers.
    pub const fn readiness(&self) -> Readiness {
        let is_maintenance = match self.state {
            // Another pod can take the sessions: proxies have to send their requests there.
            State::Draining { handoff: Some(handoff), .. } if handoff.is_moving => return Readiness::ShuttingDown,
            State::Serving | State::Draining { ready: true, .. } | State::Finishing { ready: true, .. } => {
                return Readiness::Ready;
            }
            State::Draining { .. }
            | State::Finishing { .. }
            | State::Propagating { .. }
            | State::Drained { .. }
            | State::Closing { .. }
            | State::Stopped { .. } => {
                return Readiness::ShuttingDown;
            }
            State::MaintenanceCountdown { was_empty, .. } => match self.policy.maintenance_readiness {
                MaintenanceReadiness::AfterDrain => was_empty,
                MaintenanceReadiness::Immediate => true,
                MaintenanceReadiness::Never => false,
            },
            State::MaintenanceFinishing { .. } | State::MaintenanceClosed => {
                !matches!(self.policy.maintenance_readiness, MaintenanceReadiness::Never)
            }
        };
        if is_maintenance { Readiness::Maintenance } else { Readiness::Ready }
    }
}
