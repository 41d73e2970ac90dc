//! The transitions: every event in every state.

use std::num::NonZeroU64;

use super::effect::Effect;
use super::event::{Event, Signal, Situation};
use super::log_line::LogLine;
use super::machine::Lifecycle;
use super::notice::{Notice, NoticeId, Reason};
use super::policy::{ReadinessWhileDraining, SecondSignal};
use super::readiness::Readiness;
use super::state::State;
use crate::time::Timestamp;

impl Lifecycle {
    /// Handles one event. Returns the next machine and the effects to perform, in order.
    #[must_use]
    pub fn step(mut self, event: Event, situation: Situation) -> (Self, Vec<Effect>) {
        let (admission_before, had_notice) = (self.admission(), self.notice().is_some());
        let mut effects = Vec::new();
        self.state = match self.state {
            State::Serving => self.serving(event, situation, &mut effects),
            State::MaintenanceCountdown { notice, was_empty } => {
                self.maintenance_countdown(notice, was_empty, event, situation, &mut effects)
            }
            State::MaintenanceClosed => self.maintenance_closed(event, situation, &mut effects),
            State::Draining { notice, next_progress, ready } => {
                self.draining(notice, next_progress, ready, event, situation, &mut effects)
            }
            State::Propagating { since, until } => self.propagating(since, until, event, situation.now, &mut effects),
            State::Stopped { since } => State::Stopped { since },
        };
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
            Event::Terminate(signal) => self.terminate(signal, None, situation, effects),
            Event::MaintenanceOff | Event::PopulationChanged | Event::TimePassed => State::Serving,
        }
    }

    fn maintenance_countdown(
        &mut self,
        notice: Notice,
        was_empty: bool,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Situation { now, population } = situation;
        match event {
            Event::MaintenanceOff => {
                effects.extend([Effect::Log(LogLine::MaintenanceDisabled), Effect::CancelNotice(notice.reason)]);
                State::Serving
            }
            Event::Terminate(signal) => self.terminate(signal, Some(notice), situation, effects),
            Event::PopulationChanged | Event::TimePassed if now >= notice.deadline => {
                effects.extend([Effect::ForceClose(notice.reason), Effect::ReleaseRemaining]);
                State::MaintenanceClosed
            }
            // No session can be notified or return. One that was admitted a moment ago is released.
            Event::PopulationChanged | Event::TimePassed if population.held == 0 => {
                effects.push(Effect::ReleaseRemaining);
                State::MaintenanceClosed
            }
            Event::MaintenanceOn | Event::PopulationChanged | Event::TimePassed => {
                State::MaintenanceCountdown { notice, was_empty: was_empty || population.present == 0 }
            }
        }
    }

    fn maintenance_closed(&mut self, event: Event, situation: Situation, effects: &mut Vec<Effect>) -> State {
        match event {
            Event::MaintenanceOff => {
                effects.push(Effect::Log(LogLine::MaintenanceDisabled));
                State::Serving
            }
            Event::Terminate(signal) => self.terminate(signal, None, situation, effects),
            Event::MaintenanceOn | Event::PopulationChanged | Event::TimePassed => State::MaintenanceClosed,
        }
    }

    fn draining(
        &self,
        notice: Notice,
        next_progress: Timestamp,
        ready: bool,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Situation { now, population } = situation;
        let present = population.present;
        match event {
            Event::Terminate(signal) if self.ignores(signal) => {
                effects.push(Effect::Log(LogLine::Ignored(signal)));
                State::Draining { notice, next_progress, ready }
            }
            Event::Terminate(_) => {
                effects.extend([
                    Effect::Log(LogLine::Hurried),
                    Effect::ForceClose(notice.reason),
                    Effect::ReleaseRemaining,
                ]);
                stop(notice.started_at, effects)
            }
            Event::PopulationChanged | Event::TimePassed if present == 0 => {
                effects.push(Effect::Log(LogLine::Remaining(0, notice.remaining(now))));
                self.propagate(notice.started_at, now, effects)
            }
            Event::PopulationChanged | Event::TimePassed if now >= notice.deadline => {
                effects.push(Effect::ForceClose(notice.reason));
                self.propagate(notice.started_at, now, effects)
            }
            Event::PopulationChanged | Event::TimePassed if now >= next_progress => {
                effects.push(Effect::Log(LogLine::Remaining(present, notice.remaining(now))));
                State::Draining { notice, next_progress: self.progress_after(next_progress, now), ready }
            }
            Event::PopulationChanged | Event::TimePassed | Event::MaintenanceOn | Event::MaintenanceOff => {
                State::Draining { notice, next_progress, ready }
            }
        }
    }

    fn propagating(
        &self,
        since: Timestamp,
        until: Timestamp,
        event: Event,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> State {
        match event {
            Event::Terminate(signal) if self.ignores(signal) => {
                effects.push(Effect::Log(LogLine::Ignored(signal)));
                State::Propagating { since, until }
            }
            Event::Terminate(_) => {
                effects.push(Effect::Log(LogLine::Hurried));
                stop(since, effects)
            }
            Event::TimePassed if now >= until => stop(since, effects),
            Event::TimePassed | Event::PopulationChanged | Event::MaintenanceOn | Event::MaintenanceOff => {
                State::Propagating { since, until }
            }
        }
    }

    fn enter_maintenance(&mut self, situation: Situation, effects: &mut Vec<Effect>) -> State {
        let Situation { now, population } = situation;
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
        };
        effects.push(Effect::Notify(notice));
        State::MaintenanceCountdown { notice, was_empty: population.present == 0 }
    }

    fn terminate(
        &mut self,
        signal: Signal,
        running: Option<Notice>,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Situation { now, population } = situation;
        let ready = self.readiness() == Readiness::Ready
            && self.policy.readiness_while_draining == ReadinessWhileDraining::Hold;
        effects.extend([Effect::Log(LogLine::Received(signal)), Effect::Log(LogLine::Detected(population.present))]);
        if signal == Signal::Quit {
            if population.present > 0 {
                effects.push(Effect::ForceClose(Reason::Shutdown));
            }
            effects.push(Effect::ReleaseRemaining);
            return stop(now, effects);
        }
        if population.present == 0 {
            return self.propagate(now, now, effects);
        }
        let own_deadline = now.plus(self.policy.drain_timeout);
        let notice = Notice {
            id: running.map_or_else(|| self.next_notice(), |notice| notice.id),
            reason: Reason::Shutdown,
            started_at: now,
            deadline: running.map_or(own_deadline, |notice| notice.deadline.min(own_deadline)),
        };
        effects.extend([
            Effect::Log(LogLine::Notifying(population.present)),
            Effect::Notify(notice),
            Effect::Log(LogLine::WaitingForUsers(notice.remaining(now))),
        ]);
        State::Draining { notice, next_progress: now.plus(self.policy.progress_interval), ready }
    }

    fn propagate(&self, since: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) -> State {
        let wait = self.policy.propagation_wait;
        effects.extend([Effect::ReleaseRemaining, Effect::Log(LogLine::WaitingForEndpoints(wait))]);
        State::Propagating { since, until: now.plus(wait) }
    }

    /// The first time after `now` that is a whole number of progress intervals after `last`.
    fn progress_after(&self, last: Timestamp, now: Timestamp) -> Timestamp {
        let interval = self.policy.progress_interval.as_millis().max(1);
        let missed = now.since(last).as_millis() / interval;
        let ahead = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        last.plus(self.policy.progress_interval.saturating_mul(ahead)).max(Timestamp::from_millis(now.as_millis() + 1))
    }

    /// Whether a signal after the first one is only logged.
    fn ignores(&self, signal: Signal) -> bool {
        self.policy.second_signal == SecondSignal::Ignore && signal != Signal::Quit
    }

    fn next_notice(&mut self) -> NoticeId {
        self.notices += 1;
        NoticeId(NonZeroU64::new(self.notices).unwrap_or(NonZeroU64::MIN))
    }
}

fn stop(since: Timestamp, effects: &mut Vec<Effect>) -> State {
    effects.extend([Effect::Log(LogLine::ShuttingDown), Effect::Exit]);
    State::Stopped { since }
}
