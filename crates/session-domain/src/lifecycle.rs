//! The rules by which a pod drains: one pure machine for shutdown and maintenance.
//!
//! ```text
//! Serving ──maintenance on──▶ Maintenance{countdown | closed} ──off──▶ Serving
//!    └──────────terminate──────────┴──▶ Draining ──nobody left, or deadline──▶ Propagating ──▶ Stopped
//! ```
//!
//! [`Lifecycle::step`] consumes the machine and gives the next one and what is to be done, as values. It never does
//! anything itself. A pod that was told to terminate never serves again; newcomers are let in again
//! ([`Admission::Open`]) on the way back to serving alone; [`Effect::ForceClose`] never comes before the deadline unless the
//! operator hurries.

mod effects;
mod log_line;
mod policy;
mod step;
#[cfg(test)]
mod tests;

pub use effects::{Admission, Effect, Notice, NoticeId, Reason};
pub use log_line::LogLine;
pub use policy::{MaintenanceReadiness, Policy, ReadinessWhileDraining, SecondSignal};

use crate::pod::Phase;
use crate::time::Timestamp;

/// A signal that asks the process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: Kubernetes, or `kill`.
    Term,
    /// SIGINT: Ctrl-C.
    Int,
    /// SIGQUIT: Ctrl-\. The operator does not want to wait from the start.
    Quit,
}

/// What happened to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The maintenance switch was turned on, or is found on at the start.
    MaintenanceOn,
    /// The maintenance switch was turned off.
    MaintenanceOff,
    /// The process is to stop.
    Terminate(Signal),
    /// Sessions came, left, or became present or absent.
    PopulationChanged,
    /// The moment of [`Lifecycle::wakes_at`] has come.
    TimePassed,
}

/// Who is on the pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// Sessions held, present or not.
    pub held: u64,
    /// Sessions that are present: they count as users and hold a drain open.
    pub present: u64,
}

/// What the machine is told with every event: the time, and who is there at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The time.
    pub now: Timestamp,
    /// Who is there.
    pub population: Population,
}

/// What `/ready` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// 200.
    Ready,
    /// 503, in maintenance.
    Maintenance,
    /// 503, about to stop.
    ShuttingDown,
}

/// Where the pod stands. Each variant holds only what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Takes newcomers.
    Serving,
    /// Takes no newcomers; who is there is counted down, and who comes from another pod is counted down with them.
    MaintenanceCountdown {
        /// The notice that runs.
        notice: Notice,
        /// Whether nobody present was left at some moment since. Stays true: readiness does not flap.
        vacated: bool,
    },
    /// Takes nobody; everybody has gone.
    MaintenanceClosed,
    /// Will stop; waits for its users.
    Draining {
        /// The notice that runs.
        notice: Notice,
        /// When the remaining users are logged next.
        next_progress: Timestamp,
        /// Whether `/ready` still answers 200.
        ready: bool,
    },
    /// Will stop; the endpoints get their time to follow.
    Propagating {
        /// When the drain began.
        since: Timestamp,
        /// When the process exits.
        until: Timestamp,
    },
    /// Has stopped.
    Stopped {
        /// When the drain began.
        since: Timestamp,
    },
}

/// The machine: where the pod stands, and the rules it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    policy: Policy,
    state: State,
    notices: u64,
}

impl Lifecycle {
    /// A pod that serves.
    pub const fn new(policy: Policy) -> Self {
        Self { policy, state: State::Serving, notices: 0 }
    }

    /// Where the pod stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// When [`Event::TimePassed`] is due, if nothing else happens before.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Serving | State::MaintenanceClosed | State::Stopped { .. } => None,
            State::MaintenanceCountdown { notice, .. } => Some(notice.deadline),
            State::Draining { notice, next_progress, .. } => Some(notice.deadline.min(next_progress)),
            State::Propagating { until, .. } => Some(until),
        }
    }

    /// The machine where the effects of its last step took this long: the propagation begins after them.
    #[must_use]
    pub fn extend_propagation(mut self, by: std::time::Duration) -> Self {
        if let State::Propagating { until, .. } = &mut self.state {
            *until = until.plus(by);
        }
        self
    }

    /// The phase that others see. A pod that has stopped says what it said last.
    pub const fn phase(&self) -> Phase {
        match self.state {
            State::Serving => Phase::Serving,
            State::MaintenanceCountdown { .. } | State::MaintenanceClosed => Phase::Maintenance,
            State::Draining { .. } => Phase::Draining,
            State::Propagating { .. } | State::Stopped { .. } => Phase::Propagating,
        }
    }

    /// The notice that runs, if any.
    pub const fn notice(&self) -> Option<Notice> {
        match self.state {
            State::MaintenanceCountdown { notice, .. } | State::Draining { notice, .. } => Some(notice),
            State::Serving | State::MaintenanceClosed | State::Propagating { .. } | State::Stopped { .. } => None,
        }
    }

    /// When the drain or the maintenance countdown began.
    pub const fn drain_started_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Serving | State::MaintenanceClosed => None,
            State::MaintenanceCountdown { notice, .. } | State::Draining { notice, .. } => Some(notice.started_at),
            State::Propagating { since, .. } | State::Stopped { since } => Some(since),
        }
    }

    /// Whom the pod takes in.
    pub const fn admission(&self) -> Admission {
        match self.state {
            State::Serving => Admission::Open,
            State::MaintenanceCountdown { .. } => Admission::AdoptionsOnly,
            State::MaintenanceClosed | State::Draining { .. } | State::Propagating { .. } | State::Stopped { .. } => {
                Admission::Closed
            }
        }
    }

    /// What `/ready` answers.
    pub const fn readiness(&self) -> Readiness {
        let maintenance = match self.state {
            State::Serving | State::Draining { ready: true, .. } => return Readiness::Ready,
            State::Draining { .. } | State::Propagating { .. } | State::Stopped { .. } => {
                return Readiness::ShuttingDown;
            }
            State::MaintenanceCountdown { vacated, .. } => match self.policy.maintenance_readiness {
                MaintenanceReadiness::AfterDrain => vacated,
                MaintenanceReadiness::Immediate => true,
                MaintenanceReadiness::Never => false,
            },
            State::MaintenanceClosed => !matches!(self.policy.maintenance_readiness, MaintenanceReadiness::Never),
        };
        if maintenance { Readiness::Maintenance } else { Readiness::Ready }
    }
}
