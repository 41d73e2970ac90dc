//! Performs what the lifecycle machine decides, and feeds it what happens. Holds no rules of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use session_domain::Phase;
use session_domain::lifecycle::{Admission, Effect, Event, Lifecycle, LogLine, Reason, Signal, Situation, State};
use session_domain::registry::Census;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};
use tracing::info;

use crate::config::ForcedEnd;
use crate::service_state::ServiceState;
use crate::sessions::Ending;
use crate::sharing::StoreHealth;

/// How long changes of the population are gathered before they are counted: a thousand logouts in one moment are
/// walked over once, not a thousand times.
const GATHER: Duration = Duration::from_millis(10);

/// What drives the machine.
pub(crate) struct DrainTask {
    state: Arc<ServiceState>,
    machine: Lifecycle,
    /// The maintenance switch: where it stands, on or off.
    switch: watch::Receiver<bool>,
    /// Who was there at the last step, unless its effects have changed that.
    census: Option<Census>,
}

impl DrainTask {
    /// Takes the pod to where the switch stands now, so that whoever is let in afterwards is let in rightly.
    pub(crate) async fn start(state: Arc<ServiceState>, switch: watch::Receiver<bool>) -> Self {
        let machine = *state.lifecycle.borrow();
        let mut driver = Self { state, machine, switch, census: None };
        if *driver.switch.borrow_and_update() {
            driver.step(Event::MaintenanceOn).await;
        }
        driver
    }

    /// Drives the machine until it says that the process should exit.
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, the pod keeps whatever phase it was in.
    pub(crate) async fn drive(mut self, signals: impl Stream<Item = Signal>) {
        let mut signals = std::pin::pin!(signals);
        let (mut signals_end, mut switch_ends) = (false, false);
        let mut health = self.state.sessions.sharing().map(|sharing| sharing.watch_health());
        while !self.is_done() {
            let census = self.counts_down().then(|| self.known_census());
            let event = tokio::select! {
                signal = signals.next(), if !signals_end => match signal {
                    Some(signal) => Event::Terminate(signal),
                    None => {
                        signals_end = true;
                        continue;
                    }
                },
                moved = self.switch.changed(), if !switch_ends => match moved {
                    Ok(()) if *self.switch.borrow_and_update() => Event::MaintenanceOn,
                    Ok(()) => Event::MaintenanceOff,
                    // Nobody is left who could move it: it stays where it is.
                    Err(_) => {
                        switch_ends = true;
                        continue;
                    }
                },
                () = health_changes(health.as_mut()) => {
                    self.state.renew_terms();
                    continue;
                }
                () = population_changes(&self.state, census) => Event::PopulationChanged,
                event = time_passes(&self.state, &self.machine, census) => event,
            };
            if event == Event::PopulationChanged {
                sleep(GATHER).await;
            }
            self.step(event).await;
        }
    }

    const fn is_done(&self) -> bool {
        matches!(self.machine.state(), State::Stopped { .. })
    }

    /// Whether it matters who is there. While it does not, nobody is counted.
    const fn counts_down(&self) -> bool {
        self.machine.notice().is_some()
    }

    /// Who is there, counted again only where something was done since.
    fn known_census(&mut self) -> Census {
        *self.census.get_or_insert_with(|| self.state.registry.census(self.state.clock.now()))
    }

    async fn step(&mut self, event: Event) {
        // Admission is restricted before sessions are counted: every admitted session is counted.
        match event {
            Event::Terminate(_) => self.state.registry.restrict_admission(Admission::Closed),
            Event::MaintenanceOn => self.state.registry.restrict_admission(Admission::AdoptionsOnly),
            Event::MaintenanceOff | Event::PopulationChanged | Event::TimePassed => {}
        }
        let now = self.state.clock.now();
        let census = self.state.registry.census(now);
        let situation = Situation { now, population: census.population };
        let (machine, effects) = self.machine.step(event, situation);
        let was = std::mem::replace(&mut self.machine, machine);
        if was != machine {
            self.state.lifecycle.send_replace(machine);
        }
        if was.phase() != machine.phase()
            && machine.phase() == Phase::Propagating
            && let Some(since) = machine.drain_started_at()
        {
            self.state.metrics.drained(situation.now.since(since));
        }
        self.census = effects.is_empty().then_some(census);
        for effect in effects {
            self.perform(&effect).await;
        }
        // A store may take a while to acknowledge that sessions have ended; the endpoints get their time all the same.
        let took = self.state.clock.now().since(now);
        if !took.is_zero() {
            self.machine = self.machine.extend_propagation(took);
            self.state.lifecycle.send_if_modified(|known| std::mem::replace(known, self.machine) != self.machine);
        }
    }

    async fn perform(&self, effect: &Effect) {
        let state = &self.state;
        match effect {
            Effect::SetAdmission(admit) => state.registry.set_admission(*admit),
            Effect::Notify(notice) => state.begin_notice(notice),
            Effect::CancelNotice(reason) => state.cancel_notice(*reason),
            Effect::EndNotice => state.end_notice(),
            Effect::ForceClose(reason) => self.force_close(*reason).await,
            Effect::ReleaseRemaining => _ = state.sessions.release_remaining().await,
            Effect::Log(line) => {
                if *line == LogLine::Hurried
                    && let Some(sharing) = state.sessions.sharing()
                {
                    sharing.hurry();
                }
                info!("{line}");
            }
            Effect::Exit => state.streams_end.cancel(),
        }
    }

    /// Ends every present session, then says how many that were: some may turn out to live on another pod by now.
    async fn force_close(&self, reason: Reason) {
        let state = &self.state;
        let ending = match (state.sessions.sharing(), state.config.forced_end) {
            (Some(_), ForcedEnd::Release) => Ending::Released,
            (Some(_), ForcedEnd::Delete) | (None, _) => Ending::Forced,
        };
        let ended = state.sessions.end_all(state.registry.present_sessions(state.clock.now()), ending, |_| true).await;
        if ended.moved > 0 {
            info!("{}", LogLine::Released(reason, ended.moved));
        }
        match reason {
            Reason::Shutdown if ended.forced > 0 => info!("{}", LogLine::ForceClosing(ended.forced)),
            Reason::Shutdown if ended.moved == 0 => info!("{}", LogLine::Remaining(0, Duration::ZERO)),
            Reason::Maintenance if ended.forced > 0 => info!("{}", LogLine::MaintenanceForceClosing(ended.forced)),
            Reason::Shutdown | Reason::Maintenance => {}
        }
    }
}

/// The store's health has changed; never where there is no store.
async fn health_changes(health: Option<&mut watch::Receiver<StoreHealth>>) {
    let changed = match health {
        Some(health) => health.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending().await
    }
}

/// While it does not matter who is there (no census), changes of it are no news.
async fn population_changes(state: &ServiceState, census: Option<Census>) {
    match census {
        Some(_) => state.population_changed.notified().await,
        None => std::future::pending().await,
    }
}

/// Waits for whatever time brings first: the machine's own next moment, or somebody's absence.
async fn time_passes(state: &ServiceState, machine: &Lifecycle, census: Option<Census>) -> Event {
    // A timer may fire a fraction of a millisecond early; what it stands for must have come.
    let instant = |time| state.clock.instant_of(time) + Duration::from_millis(1);
    let due = machine.wakes_at().map(|time| (instant(time), Event::TimePassed));
    let absence = census.and_then(|census| census.next_absence);
    let absence = absence.map(|time| (instant(time), Event::PopulationChanged));
    match due.into_iter().chain(absence).min_by_key(|(instant, _)| *instant) {
        Some((instant, event)) => {
            sleep_until(instant).await;
            event
        }
        None => std::future::pending().await,
    }
}
