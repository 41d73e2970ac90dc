//! The rules of a shutdown: users, protected work, propagation, resources.

use super::super::effect::Effect;
use super::super::event::{Event, Signal, Situation};
use super::super::handoff::{Handoff, NoticeScope};
use super::super::log_line::LogLine;
use super::super::machine::Lifecycle;
use super::super::notice::{Notice, Reason};
use super::super::policy::{ReadinessWhileDraining, SecondSignal};
use super::super::readiness::Readiness;
use super::super::state::State;
use crate::pod::Phase;
use crate::time::Timestamp;

/// The data of [`State::Draining`].
#[derive(Clone, Copy)]
pub(super) struct Draining {
    pub(super) notice: Notice,
    pub(super) next_progress: Timestamp,
    pub(super) ready: bool,
    pub(super) handoff: Option<Handoff>,
}

impl From<Draining> for State {
    fn from(Draining { notice, next_progress, ready, handoff }: Draining) -> Self {
        Self::Draining { notice, next_progress, ready, handoff }
    }
}

impl Lifecycle {
    /// Begins a shutdown; without a `signal` because it was asked for.
    pub(super) fn terminate(
        &mut self,
        signal: Option<Signal>,
        running: Option<Notice>,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Situation { now, population, .. } = situation;
        let ready = self.readiness() == Readiness::Ready
            && self.policy.readiness_while_draining == ReadinessWhileDraining::Hold;
        self.awaits_signal = signal.is_none();
        let begun = signal.map_or(LogLine::Requested, LogLine::Received);
        effects.extend([Effect::Log(begun), Effect::Log(LogLine::Detected(population.present))]);
        if signal == Some(Signal::Quit) {
            if population.present > 0 {
                effects.push(Effect::ForceClose(Reason::Shutdown));
            }
            cut_work(situation, effects);
            effects.push(Effect::ReleaseRemaining);
            return self.close(now, now, effects);
        }
        if !population.is_waited_for() {
            return self.propagate(now, now, effects);
        }
        // Maintenance closes all pods: no session can move.
        let handoff = self.policy.handoff.filter(|_| self.phase() == Phase::Serving);
        let own_deadline = now.plus(self.policy.drain_timeout);
        let notice = Notice {
            id: running.map_or_else(|| self.next_notice(), |notice| notice.id),
            reason: Reason::Shutdown,
            started_at: now,
            deadline: running.map_or(own_deadline, |notice| notice.deadline.min(own_deadline)),
            is_handoff: handoff.is_some(),
        };
        let next_progress = now.plus(self.policy.progress_interval);
        if population.present == 0 {
            effects.push(Effect::Notify(notice));
            return self.finish_work(notice, ready, situation, effects);
        }
        if let Some(policy) = handoff {
            effects.extend([
                Effect::Log(LogLine::Moving(population.present)),
                Effect::Log(LogLine::WaitingForUsers(notice.remaining(now))),
            ]);
            let handoff = Handoff::begin(policy, notice).step(notice, situation, effects);
            return Draining { notice, next_progress, ready, handoff: Some(handoff) }.into();
        }
        effects.extend([
            Effect::Log(LogLine::Notifying(population.present)),
            Effect::Notify(notice),
            Effect::Log(LogLine::WaitingForUsers(notice.remaining(now))),
        ]);
        Draining { notice, next_progress, ready, handoff: None }.into()
    }

    pub(super) fn draining(
        &self,
        state: Draining,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Draining { notice, next_progress, ready, handoff } = state;
        let Situation { now, population, .. } = situation;
        let is_moving = handoff.is_some_and(|handoff| handoff.is_moving);
        match event {
            Event::Terminate(signal) if self.goes_on_at(signal) => {
                effects.push(self.log_of_going_on(signal));
                state.into()
            }
            Event::Terminate(signal) => self.hurry(signal, notice, situation, effects),
            Event::PopulationChanged | Event::TimePassed
                if population.present == 0 && population.requested_elsewhere == 0 =>
            {
                effects.push(Effect::Log(LogLine::Remaining(0, notice.remaining(now))));
                if population.sessions_with_work() > 0 {
                    self.notify_the_rest(state, effects);
                    return self.finish_work(notice, ready && !is_moving, situation, effects);
                }
                self.propagate(notice.started_at, now, effects)
            }
            Event::PopulationChanged | Event::TimePassed if now >= notice.deadline => {
                if population.sessions_with_work() > 0 && now < self.work_ends_at(notice) {
                    self.notify_the_rest(state, effects);
                    effects.push(Effect::ForceCloseUnprotected(notice.reason));
                    return self.finish_work(notice, ready && !is_moving, situation, effects);
                }
                effects.push(Effect::ForceClose(notice.reason));
                cut_work(situation, effects);
                self.propagate(notice.started_at, now, effects)
            }
            Event::PopulationChanged | Event::TimePassed => {
                let handoff = handoff.map(|handoff| handoff.step(notice, situation, effects));
                let mut next_progress = next_progress;
                if now >= next_progress {
                    effects.push(Effect::Log(LogLine::Remaining(population.present, notice.remaining(now))));
                    next_progress = self.progress_after(next_progress, now);
                }
                Draining { notice, next_progress, ready, handoff }.into()
            }
            Event::DrainRequested | Event::ResourcesClosed | Event::MaintenanceOn | Event::MaintenanceOff => {
                state.into()
            }
        }
    }

    /// Notifies the sessions that a handoff has not notified: from here on the notice is that of all.
    fn notify_the_rest(&self, Draining { notice, handoff, .. }: Draining, effects: &mut Vec<Effect>) {
        if handoff.is_some_and(|handoff| handoff.scope < NoticeScope::All) {
            effects.push(Effect::Notify(notice));
        }
    }

    /// Begins to wait for nothing but protected work.
    fn finish_work(&self, notice: Notice, ready: bool, situation: Situation, effects: &mut Vec<Effect>) -> State {
        let Situation { now, population, .. } = situation;
        let until = self.work_ends_at(notice);
        effects.extend([
            Effect::ReleaseUnprotected,
            Effect::Log(LogLine::WaitingForWork(notice.reason, until.since(now), population.sessions_with_work())),
        ]);
        let next_progress = now.plus(self.policy.progress_interval);
        State::Finishing { notice, until, next_progress, ready: ready && population.protected > 0 }
    }

    pub(super) fn finishing(
        &self,
        notice: Notice,
        next_progress: Timestamp,
        ready: bool,
        event: Event,
        situation: Situation,
        effects: &mut Vec<Effect>,
    ) -> State {
        let Situation { now, population, .. } = situation;
        // Stays false: readiness must not flap.
        let ready = ready && population.present > 0;
        // Without work only requests of sessions that moved are left, which are waited for until the deadline.
        let until = if population.sessions_with_work() > 0 { self.work_ends_at(notice) } else { notice.deadline };
        match event {
            Event::Terminate(signal) if self.goes_on_at(signal) => {
                effects.push(self.log_of_going_on(signal));
                State::Finishing { notice, until, next_progress, ready }
            }
            Event::Terminate(signal) => self.hurry(signal, notice, situation, effects),
            Event::PopulationChanged | Event::TimePassed
                if now >= until || (population.sessions_with_work() == 0 && population.requested_elsewhere == 0) =>
            {
                if population.present > 0 {
                    effects.push(Effect::ForceClose(notice.reason));
                }
                cut_work(situation, effects);
                self.propagate(notice.started_at, now, effects)
            }
            Event::PopulationChanged | Event::TimePassed if now >= next_progress => {
                effects.push(Effect::Log(LogLine::WorkRemaining(population.sessions_with_work(), until.since(now))));
                State::Finishing { notice, until, next_progress: self.progress_after(next_progress, now), ready }
            }
            Event::PopulationChanged
            | Event::DrainRequested
            | Event::ResourcesClosed
            | Event::TimePassed
            | Event::MaintenanceOn
            | Event::MaintenanceOff => State::Finishing { notice, until, next_progress, ready },
        }
    }

    pub(super) fn propagating(
        &self,
        since: Timestamp,
        until: Timestamp,
        event: Event,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> State {
        match event {
            Event::Terminate(signal) if self.goes_on_at(signal) => {
                effects.push(self.log_of_going_on(signal));
                State::Propagating { since, until }
            }
            Event::Terminate(signal) => {
                effects.push(self.log_of_hurry(signal));
                self.close(since, now, effects)
            }
            Event::TimePassed if now >= until && self.awaits_signal => {
                effects.push(Effect::Log(LogLine::Drained));
                State::Drained { since }
            }
            Event::TimePassed if now >= until => self.close(since, now, effects),
            Event::TimePassed
            | Event::PopulationChanged
            | Event::DrainRequested
            | Event::ResourcesClosed
            | Event::MaintenanceOn
            | Event::MaintenanceOff => State::Propagating { since, until },
        }
    }

    /// The first signal ends the process at once: its drain is over.
    pub(super) fn drained(&self, since: Timestamp, event: Event, now: Timestamp, effects: &mut Vec<Effect>) -> State {
        match event {
            Event::Terminate(signal) => {
                effects.push(Effect::Log(LogLine::Received(signal)));
                self.close(since, now, effects)
            }
            Event::TimePassed
            | Event::PopulationChanged
            | Event::DrainRequested
            | Event::ResourcesClosed
            | Event::MaintenanceOn
            | Event::MaintenanceOff => State::Drained { since },
        }
    }

    pub(super) fn closing(
        &self,
        since: Timestamp,
        until: Timestamp,
        event: Event,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> State {
        match event {
            Event::Terminate(signal) if self.goes_on_at(signal) => {
                effects.push(self.log_of_going_on(signal));
                State::Closing { since, until }
            }
            Event::Terminate(signal) => {
                effects.push(self.log_of_hurry(signal));
                stop(since, effects)
            }
            Event::ResourcesClosed => stop(since, effects),
            Event::TimePassed if now >= until => stop(since, effects),
            Event::TimePassed
            | Event::PopulationChanged
            | Event::DrainRequested
            | Event::MaintenanceOn
            | Event::MaintenanceOff => State::Closing { since, until },
        }
    }

    /// A second signal: nothing is waited for any more but the closing of resources.
    fn hurry(&self, signal: Signal, notice: Notice, situation: Situation, effects: &mut Vec<Effect>) -> State {
        effects.extend([self.log_of_hurry(signal), Effect::ForceClose(notice.reason)]);
        cut_work(situation, effects);
        effects.push(Effect::ReleaseRemaining);
        self.close(notice.started_at, situation.now, effects)
    }

    fn propagate(&self, since: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) -> State {
        let wait = self.policy.propagation_wait;
        effects.extend([Effect::ReleaseRemaining, Effect::Log(LogLine::WaitingForEndpoints(wait))]);
        State::Propagating { since, until: now.plus(wait) }
    }

    /// Closes the registered resources, or stops where there is none.
    fn close(&self, since: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) -> State {
        let Some(timeout) = self.policy.close_timeout else { return stop(since, effects) };
        effects.push(Effect::CloseResources);
        State::Closing { since, until: now.plus(timeout) }
    }

    /// The end of the wait for protected work.
    fn work_ends_at(&self, notice: Notice) -> Timestamp {
        notice.deadline.plus(self.policy.task_grace)
    }

    /// The first time after `now` that is a whole number of progress intervals after `last`.
    fn progress_after(&self, last: Timestamp, now: Timestamp) -> Timestamp {
        let interval = self.policy.progress_interval.as_millis().max(1);
        let missed = now.since(last).as_millis() / interval;
        let ahead = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        last.plus(self.policy.progress_interval.saturating_mul(ahead)).max(Timestamp::from_millis(now.as_millis() + 1))
    }

    /// Whether a drain that runs goes on at this signal: at the first one where none began it, and at a further one that is ignored.
    fn goes_on_at(&self, signal: Signal) -> bool {
        let is_ignored = self.policy.second_signal == SecondSignal::Ignore;
        signal != Signal::Quit && (self.awaits_signal || is_ignored)
    }

    fn log_of_going_on(&self, signal: Signal) -> Effect {
        Effect::Log(if self.awaits_signal { LogLine::Received(signal) } else { LogLine::Ignored(signal) })
    }

    fn log_of_hurry(&self, signal: Signal) -> Effect {
        Effect::Log(if self.awaits_signal { LogLine::Received(signal) } else { LogLine::Hurried })
    }
}

fn cut_work(situation: Situation, effects: &mut Vec<Effect>) {
    if situation.population.sessions_with_work() > 0 {
        effects.push(Effect::CutWork);
    }
}

fn stop(since: Timestamp, effects: &mut Vec<Effect>) -> State {
    effects.extend([Effect::Log(LogLine::ShuttingDown), Effect::Exit]);
    State::Stopped { since }
}
