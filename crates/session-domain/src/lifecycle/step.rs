//! The transitions: every event in every state. `step/maintenance.rs` and `step/shutdown.rs` hold the rules of either scenario.

mod maintenance;
mod shutdown;

use std::num::NonZeroU64;

use shutdown::Draining;

use super::effect::Effect;
use super::event::{Event, Situation};
use super::machine::Lifecycle;
use super::notice::NoticeId;
use super::state::State;

impl Lifecycle {
    /// Handles one event. Returns the next machine and the effects to perform, in order.
    #[must_use]
    pub fn step(mut self, event: Event, situation: Situation) -> (Self, Vec<Effect>) {
        let (admission_before, had_notice) = (self.admission(), self.notice().is_some());
        let mut effects = Vec::new();
        let mut situation = situation;
        if self.policy.handoff.is_none() {
            // Only a handoff moves sessions away from requests that are still in flight.
            situation.population.requested_elsewhere = 0;
        }
        self.state = match self.state {
            State::Serving => self.serving(event, situation, &mut effects),
            State::MaintenanceCountdown { notice, was_empty } => {
                self.maintenance_countdown(notice, was_empty, event, situation, &mut effects)
            }
            State::MaintenanceFinishing { notice, until } => {
                self.maintenance_finishing(notice, until, event, situation, &mut effects)
            }
            State::MaintenanceClosed => self.maintenance_closed(event, situation, &mut effects),
            State::Draining { notice, next_progress, ready, handoff } => {
                self.draining(Draining { notice, next_progress, ready, handoff }, event, situation, &mut effects)
            }
            State::Finishing { notice, next_progress, ready, .. } => {
                self.finishing(notice, next_progress, ready, event, situation, &mut effects)
            }
            State::Drained { since } => self.drained(since, event, situation.now, &mut effects),
            State::Propagating { since, until } => self.propagating(since, until, event, situation.now, &mut effects),
            State::Closing { since, until } => self.closing(since, until, event, situation.now, &mut effects),
            State::Stopped { since } => State::Stopped { since },
        };
        if matches!(event, Event::Terminate(_)) {
            self.awaits_signal = false;
        }
        let cancelled = effects.iter().any(|effect| matches!(effect, Effect::CancelNotice(_)));
        if had_notice && self.notice().is_none() && !cancelled {
            effects.push(Effect::EndNotice);
        }
        // Admission is closed before the other effects run, and reopened after them.
        let admission = self.admission();
        if admission > admission_before {
            effects.insert(0, Effect::SetAdmission(admission));
        } else if admission < admission_before {
            effects.push(Effect::SetAdmission(admission));
        }
        (self, effects)
    }

    fn serving(&mut self, event: Event, situation: Situation, effects: &mut Vec<Effect>) -> State {
        match event {
            Event::MaintenanceOn => self.enter_maintenance(situation, effects),
            Event::Terminate(signal) => self.terminate(Some(signal), None, situation, effects),
            Event::DrainRequested => self.terminate(None, None, situation, effects),
            Event::MaintenanceOff | Event::PopulationChanged | Event::ResourcesClosed | Event::TimePassed => {
                State::Serving
            }
        }
    }

    fn next_notice(&mut self) -> NoticeId {
        self.notices += 1;
        NoticeId(NonZeroU64::new(self.notices).unwrap_or(NonZeroU64::MIN))
    }
}
