//! The drain task: feeds events to the lifecycle machine and performs the effects that it decides on. Holds no rules of its own.

mod handoff_log;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use handoff_log::HandoffLog;
use session_domain::lifecycle::{Effect, Event, Lifecycle, LogLine, Reason, Signal, Situation, State};
use session_domain::registry::Census;
use session_domain::{Phase, Timestamp};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::info;

use crate::closers::{Closers, Closing};
use crate::config::ForcedEnd;
use crate::service_state::ServiceState;
use crate::sessions::{EndReason, LiveSession};

/// Changes of the population are collected for this long before sessions are counted: a thousand logouts in one moment cost one
/// walk over the sessions.
const POPULATION_DEBOUNCE: Duration = Duration::from_millis(10);

/// Which present sessions a forced end leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spared {
    None,
    /// Those with protected work.
    Protected,
}

/// Runs the lifecycle machine of one pod.
pub(crate) struct DrainTask {
    state: Arc<ServiceState>,
    machine: Lifecycle,
    /// The maintenance switch: on or off.
    switch: watch::Receiver<bool>,
    /// The sessions counted in the last step, unless its effects have changed their number.
    census: Option<Census>,
    closing: Closing,
    handoff_log: HandoffLog,
}

impl DrainTask {
    /// Creates the task. Where the maintenance switch is on, the pod is in maintenance when this returns, so that no session starts
    /// before.
    pub(crate) async fn start(state: Arc<ServiceState>, switch: watch::Receiver<bool>) -> Self {
        let machine = *state.lifecycle.borrow();
        let mut task = Self {
            state,
            machine,
            switch,
            census: None,
            closing: Closing::default(),
            handoff_log: HandoffLog::default(),
        };
        if *task.switch.borrow_and_update() {
            task.step(Event::MaintenanceOn).await;
        }
        task
    }

    /// Sets the resources that are closed at the end.
    pub(crate) fn with_closers(self, closers: Closers) -> Self {
        Self { closing: Closing::new(closers), ..self }
    }

    /// Runs until the machine says that the process exits.
    ///
    /// # Cancel safety
    /// Not cancel safe: a pod whose drain task is dropped stays in its phase.
    pub(crate) async fn run(&mut self, signals: impl Stream<Item = Signal>) {
        let mut signals = std::pin::pin!(signals);
        let (mut signals_ended, mut switch_closed) = (false, false);
        let (request, mut is_requested) = (self.state.drain_request.clone(), false);
        let mut peers = self.state.sessions.sharing().map(|sharing| sharing.watch_peers());
        let mut health = self.state.sessions.sharing().map(|sharing| sharing.watch_health());
        while !matches!(self.machine.state(), State::Stopped { .. }) {
            let census = self.current_census();
            let event = tokio::select! {
                signal = signals.next(), if !signals_ended => match signal {
                    Some(signal) => Event::Terminate(signal),
                    None => {
                        signals_ended = true;
                        continue;
                    }
                },
                () = request.cancelled(), if !is_requested => {
                    is_requested = true;
                    Event::DrainRequested
                }
                moved = self.switch.changed(), if !switch_closed => match moved {
                    Ok(()) if *self.switch.borrow_and_update() => Event::MaintenanceOn,
                    Ok(()) => Event::MaintenanceOff,
                    // The sender is gone: the switch keeps its position.
                    Err(_) => {
                        switch_closed = true;
                        continue;
                    }
                },
                () = wait::change(health.as_mut()) => {
                    self.state.renew_terms();
                    Event::PopulationChanged
                }
                // Whether sessions can move is part of the situation.
                () = wait::change(peers.as_mut()) => Event::PopulationChanged,
                // Polled here: signals are heard while resources are closed.
                () = self.closing.run(), if matches!(self.machine.state(), State::Closing { .. }) => Event::ResourcesClosed,
                () = wait::population_change(&self.state, census) => Event::PopulationChanged,
                event = wait::time(&self.state, &self.machine, census) => event,
            };
            if event == Event::PopulationChanged {
                sleep(POPULATION_DEBOUNCE).await;
            }
            self.step(event).await;
        }
    }

    /// Closes the resources that are not closed yet, each within its time limit.
    pub(crate) async fn close_resources(&mut self) {
        self.closing.run().await;
    }

    /// Counts the sessions while their number decides what comes next. At other times their number decides nothing.
    fn current_census(&mut self) -> Option<Census> {
        if !self.machine.counts_sessions() {
            return None;
        }
        Some(*self.census.get_or_insert_with(|| self.state.registry.census(self.state.clock.now())))
    }

    async fn step(&mut self, event: Event) {
        // Before the sessions are counted: every session that was admitted is counted.
        self.state.registry.restrict_admission(self.machine.admission_during(event));
        let now = self.state.clock.now();
        let census = self.state.registry.census(now);
        let can_move = self.state.can_move_sessions();
        let situation = Situation { now, population: census.population, can_move };
        let (machine, effects) = self.machine.step(event, situation);
        let before = std::mem::replace(&mut self.machine, machine);
        if machine.phase().is_shutting_down() && self.state.config.policy.handoff.is_some() {
            // Before anything shows that the shutdown has begun.
            self.state.close_after_answer.begin();
        }
        if !before.differs_in_pace_only(&machine) {
            self.state.lifecycle.send_replace(machine);
        }
        if before.phase() < Phase::Propagating
            && machine.phase() >= Phase::Propagating
            && let Some(since) = machine.drain_started_at()
        {
            self.state.metrics.drained(now.since(since));
        }
        self.census = effects.is_empty().then_some(census);
        self.handoff_log.observe(&self.state, &self.machine, now, &census.population);
        self.state.task_ends.forget_cut();
        for effect in effects {
            self.perform(&effect, now).await;
        }
        if !before.phase().is_past_work() && machine.phase().is_past_work() {
            // One that began after the sessions were counted. One that begins from now on is refused.
            self.state.registry.cut_tasks(self.state.clock.now());
        }
        self.state.task_ends.log_cut();
        // The store may take a while to acknowledge the ends of sessions. The endpoints get their whole time after that.
        let elapsed = self.state.clock.now().since(now);
        if !elapsed.is_zero() {
            self.machine = self.machine.extend_propagation(elapsed);
            self.state.lifecycle.send_if_modified(|known| {
                let is_news = !known.differs_in_pace_only(&self.machine);
                *known = self.machine;
                is_news
            });
        }
    }

    async fn perform(&mut self, effect: &Effect, now: Timestamp) {
        let state = &self.state;
        match effect {
            Effect::SetAdmission(admission) => state.registry.set_admission(*admission),
            Effect::Notify(notice) => state.begin_notice(notice),
            Effect::AskToMove(turns) => state.ask_to_move(*turns),
            Effect::NotifyStaying { notice, until, is_first } => {
                let notified = state.notify_staying(notice, *until, now);
                if *is_first {
                    info!("{}", LogLine::Notifying(notified as u64));
                }
            }
            Effect::CancelNotice(reason) => state.cancel_notice(*reason),
            Effect::EndNotice => state.end_notice(),
            Effect::ForceClose(reason) => self.force_close(*reason, Spared::None).await,
            Effect::ForceCloseUnprotected(reason) => self.force_close(*reason, Spared::Protected).await,
            Effect::CutWork => state.cut_work(),
            Effect::ReleaseRemaining => state.sessions.release_remaining().await,
            Effect::ReleaseUnprotected => state.sessions.release_unprotected().await,
            // `run` does this in `State::Closing`.
            Effect::CloseResources => {}
            Effect::Log(line) => {
                match line {
                    LogLine::Hurried | LogLine::Received(Signal::Quit) => {
                        state.sessions.sharing().into_iter().for_each(|sharing| sharing.hurry());
                    }
                    // Those that are still there were not waited for.
                    LogLine::ShuttingDown => self.closing.abandon(),
                    _ => {}
                }
                self.handoff_log.before_line(state, line, &self.machine, now);
                info!("{line}");
            }
            Effect::Exit => state.streams_end.cancel(),
        }
    }

    /// Ends every present session, then logs how many were ended: some may live on another pod by now.
    async fn force_close(&self, reason: Reason, spared: Spared) {
        let state = &self.state;
        let end_reason = match (state.sessions.sharing(), state.config.forced_end) {
            (Some(_), ForcedEnd::Release) => EndReason::Released,
            (Some(_), ForcedEnd::Delete) | (None, _) => EndReason::Forced,
        };
        let closes = |session: &LiveSession| spared == Spared::None || !session.is_protected();
        let mut present = state.registry.present_sessions(state.clock.now());
        present.retain(closes);
        let ended = state.sessions.end_all(present, end_reason, closes).await;
        state.transfers.cut_of_forced_sessions();
        if ended.moved > 0 {
            info!("{}", LogLine::Released(reason, ended.moved));
        }
        match reason {
            Reason::Shutdown if ended.forced > 0 => info!("{}", LogLine::ForceClosing(ended.forced)),
            Reason::Shutdown if ended.moved == 0 && spared == Spared::None => {
                info!("{}", LogLine::Remaining(0, Duration::ZERO))
            }
            Reason::Maintenance if ended.forced > 0 => info!("{}", LogLine::MaintenanceForceClosing(ended.forced)),
            Reason::Shutdown | Reason::Maintenance => {}
        }
    }
}
