//! The rules of maintenance: countdown, protected work, closed, and back.

use super::super::effect::Effect;
use super::super::event::{Event, Situation};
use super::super::log_line::LogLine;
use super::super::machine::Lifecycle;
use super::super::notice::{Notice, Reason};
use super::super::state::State;
use crate::time::Timestamp;

impl Lifecycle {
    pub(super) fn enter_maintenance(&mut self, situation: Situation, effects: &mut Vec<Effect>) -> State {
        let Situation { now, population, .. } = situation;
        effects.push(Effect::Log(LogLine::MaintenanceEnabled(population.present)));
        if population.held == 0 {
            // A session that was admitted a moment ago may not be counted yet.
            effects.push(Effect::ReleaseRemaining);
            return State::MaintenanceClosed;
        }
        let notice = Notice {
            id: self.next_notice(),
            reason: Reason::Maintenance,
            started_at: now,
            deadline: now.plus(self.policy.drain_timeout),
            is_handoff: false,
        };
        effects.push(Effect::Notify(notice));
        State::MaintenanceCountdown { notice, was_empty: population.present == 0 }
    }

    pub(super) fn maintenance_countdown(
        &mut self,
        notice: Notice,
        was_empty: bool,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Situation { now, population, .. } = situation;
        let reason = notice.reason;
        match event {
            Event::MaintenanceOff => end_maintenance(reason, effects),
            Event::Terminate(signal) => self.terminate(Some(signal), Some(notice), situation, effects),
            Event::DrainRequested => self.terminate(None, Some(notice), situation, effects),
            Event::PopulationChanged | Event::TimePassed if now >= notice.deadline => {
                let until = notice.deadline.plus(self.policy.task_grace);
                if population.protected == 0 || now >= until {
                    return close_maintenance(reason, effects);
                }
                effects.extend([
                    Effect::ForceCloseUnprotected(reason),
                    Effect::ReleaseUnprotected,
                    Effect::Log(LogLine::WaitingForWork(reason, until.since(now), population.protected)),
                ]);
                State::MaintenanceFinishing { notice, until }
            }
            // No session can be notified or return. One that was admitted a moment ago is released.
            Event::PopulationChanged | Event::TimePassed if population.held == 0 => {
                effects.push(Effect::ReleaseRemaining);
                State::MaintenanceClosed
            }
            Event::MaintenanceOn | Event::PopulationChanged | Event::ResourcesClosed | Event::TimePassed => {
                State::MaintenanceCountdown { notice, was_empty: was_empty || population.present == 0 }
            }
        }
    }

    pub(super) fn maintenance_finishing(
        &mut self,
        notice: Notice,
        until: Timestamp,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        match event {
            Event::MaintenanceOff => end_maintenance(notice.reason, effects),
            Event::Terminate(signal) => self.terminate(Some(signal), Some(notice), situation, effects),
            Event::DrainRequested => self.terminate(None, Some(notice), situation, effects),
            Event::PopulationChanged | Event::TimePassed
                if situation.population.protected == 0 || situation.now >= until =>
            {
                close_maintenance(notice.reason, effects)
            }
            Event::MaintenanceOn | Event::PopulationChanged | Event::ResourcesClosed | Event::TimePassed => {
                State::MaintenanceFinishing { notice, until }
            }
        }
    }

    pub(super) fn maintenance_closed(
        &mut self,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        match event {
            Event::MaintenanceOff => {
                effects.push(Effect::Log(LogLine::MaintenanceDisabled));
                State::Serving
            }
            Event::Terminate(signal) => self.terminate(Some(signal), None, situation, effects),
            Event::DrainRequested => self.terminate(None, None, situation, effects),
            Event::MaintenanceOn | Event::PopulationChanged | Event::ResourcesClosed | Event::TimePassed => {
                State::MaintenanceClosed
            }
        }
    }
}

/// Goes back to serving while a notice runs.
fn end_maintenance(reason: Reason, effects: &mut Vec<Effect>) -> State {
    effects.extend([Effect::Log(LogLine::MaintenanceDisabled), Effect::CancelNotice(reason)]);
    State::Serving
}

fn close_maintenance(reason: Reason, effects: &mut Vec<Effect>) -> State {
    effects.extend([Effect::ForceClose(reason), Effect::ReleaseRemaining]);
    State::MaintenanceClosed
}
