//! The machine, and what follows from its state. `readiness.rs` says whether the pod is ready.

use std::time::Duration;

use super::admission::Admission;
use super::event::Event;
use super::handoff::NoticeScope;
use super::notice::Notice;
use super::policy::Policy;
use super::state::State;
use crate::pod::Phase;
use crate::time::Timestamp;

/// The lifecycle of a pod: its state, and the policy that it drains by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    pub(super) policy: Policy,
    pub(super) state: State,
    /// How many notices have begun.
    pub(super) notices: u64,
    /// Whether the drain was asked for without a signal, and none has come since: the pod goes on serving after it.
    pub(super) awaits_signal: bool,
}

impl Lifecycle {
    /// Makes the machine of a pod that serves.
    pub const fn new(policy: Policy) -> Self {
        Self { policy, state: State::Serving, notices: 0, awaits_signal: false }
    }

    /// The current state.
    pub const fn state(&self) -> State {
        self.state
    }

    /// When the caller must send [`Event::TimePassed`](super::Event::TimePassed) if nothing else happens before; `None`
    /// if no time is due.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Serving | State::MaintenanceClosed | State::Drained { .. } | State::Stopped { .. } => None,
            State::MaintenanceCountdown { notice, .. } => Some(notice.deadline),
            State::Draining { notice, next_progress, handoff, .. } => {
                let due = notice.deadline.min(next_progress);
                Some(handoff.map_or(due, |handoff| due.min(handoff.next)))
            }
            State::MaintenanceFinishing { until, .. }
            | State::Propagating { until, .. }
            | State::Closing { until, .. } => Some(until),
            State::Finishing { until, next_progress, .. } => Some(until.min(next_progress)),
        }
    }

    /// Whether others have nothing to learn from the change to `next`: only the pace of a handoff has moved on.
    #[must_use]
    pub fn differs_in_pace_only(&self, next: &Self) -> bool {
        fn without_pace(mut machine: Lifecycle) -> Lifecycle {
            if let State::Draining { handoff: Some(handoff), .. } = &mut machine.state {
                *handoff = handoff.without_pace();
            }
            machine
        }
        without_pace(*self) == without_pace(*next)
    }

    /// Delays the end of the propagation, or of the closing, by the time that the effects of the last step took: it begins
    /// after them.
    #[must_use]
    pub fn extend_propagation(mut self, by: Duration) -> Self {
        if let State::Propagating { until, .. } | State::Closing { until, .. } = &mut self.state {
            *until = until.plus(by);
        }
        self
    }

    /// The phase that is reported to others. A stopped pod keeps the phase that it reported last.
    pub const fn phase(&self) -> Phase {
        match self.state {
            State::Serving => Phase::Serving,
            State::MaintenanceCountdown { .. } | State::MaintenanceFinishing { .. } | State::MaintenanceClosed => {
                Phase::Maintenance
            }
            State::Draining { .. } | State::Finishing { .. } => Phase::Draining,
            State::Propagating { .. } | State::Drained { .. } => Phase::Propagating,
            State::Closing { .. } => Phase::Closing,
            State::Stopped { .. } if self.policy.close_timeout.is_some() => Phase::Closing,
            State::Stopped { .. } => Phase::Propagating,
        }
    }

    /// Whether a drain is over: its propagation has ended, or was cut short.
    pub const fn is_drained(&self) -> bool {
        matches!(self.state, State::Drained { .. } | State::Closing { .. } | State::Stopped { .. })
    }

    /// The notice that runs, if any: during a handoff from the moment at which the first session is notified.
    pub fn notice(&self) -> Option<Notice> {
        match self.state {
            State::Draining { handoff: Some(handoff), .. } if handoff.scope == NoticeScope::None => None,
            State::MaintenanceCountdown { notice, .. }
            | State::MaintenanceFinishing { notice, .. }
            | State::Draining { notice, .. }
            | State::Finishing { notice, .. } => Some(notice),
            State::Serving
            | State::MaintenanceClosed
            | State::Propagating { .. }
            | State::Drained { .. }
            | State::Closing { .. }
            | State::Stopped { .. } => None,
        }
    }

    /// The notice that runs for every session, if any.
    pub fn notice_for_all(&self) -> Option<Notice> {
        match self.state {
            State::Draining { handoff: Some(handoff), .. } if handoff.scope < NoticeScope::All => None,
            _ => self.notice(),
        }
    }

    /// When the sessions that are still present are force-closed, or released to other pods; `None` while no countdown runs.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Draining { notice, .. } => Some(notice.deadline),
            _ => self.notice().map(|notice| notice.deadline),
        }
    }

    /// Whether the number of sessions decides what comes next.
    pub fn counts_sessions(&self) -> bool {
        self.deadline().is_some()
    }

    /// When the drain or the maintenance countdown began; `None` while neither runs.
    pub const fn drain_started_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Serving | State::MaintenanceClosed => None,
            State::MaintenanceCountdown { notice, .. }
            | State::MaintenanceFinishing { notice, .. }
            | State::Draining { notice, .. }
            | State::Finishing { notice, .. } => Some(notice.started_at),
            State::Propagating { since, .. }
            | State::Drained { since }
            | State::Closing { since, .. }
            | State::Stopped { since } => Some(since),
        }
    }

    /// Which sessions the pod admits.
    pub const fn admission(&self) -> Admission {
        match self.state {
            State::Serving => Admission::Open,
            State::MaintenanceCountdown { .. } => Admission::AdoptionsOnly,
            State::MaintenanceFinishing { .. }
            | State::MaintenanceClosed
            | State::Draining { .. }
            | State::Finishing { .. }
            | State::Propagating { .. }
            | State::Drained { .. }
            | State::Closing { .. }
            | State::Stopped { .. } => Admission::Closed,
        }
    }

    /// The admission that holds while sessions are counted for a step with `event`, so that every session that was admitted is
    /// counted. Never wider than before the step, nor than after it, unless the step goes back to serving.
    pub fn admission_during(&self, event: Event) -> Admission {
        let at_most = match event {
            Event::Terminate(_) | Event::DrainRequested => Admission::Closed,
            Event::MaintenanceOn => Admission::AdoptionsOnly,
            Event::MaintenanceOff | Event::PopulationChanged | Event::ResourcesClosed | Event::TimePassed => {
                Admission::Open
            }
        };
        self.admission().max(at_most)
    }
}
