//! The task that owns the fleet: applies discovery, the links' events and operators' commands, and publishes views.

mod commands;
mod links;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use commands::{Command, Commands};
use fleet::{Address, Fleet, FleetView, PodEvent};
use links::Links;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::discovery::DiscoveryState;
use crate::link::AttachBearer;
use crate::orphans::StoreLookup;

/// How many events may wait before links have to.
const MAX_WAITING_EVENTS: usize = 64;

/// The shortest time between two views: a hundred thousand changes in a second cost ten publications.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(100);

/// How often the changes that time alone makes are applied.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// What the task reads and where it publishes.
pub(crate) struct Inputs {
    pub(crate) discovery_state: watch::Receiver<DiscoveryState>,
    pub(crate) attach_bearer: AttachBearer,
    /// Operators' commands.
    pub(crate) commands: mpsc::Receiver<Command>,
    /// The shared store, where there is one.
    pub(crate) store: Option<StoreLookup>,
    /// How long a silent pod stays.
    pub(crate) forget_after: Duration,
    pub(crate) views: watch::Sender<Arc<FleetView>>,
}

/// Runs the links and owns the fleet until `stop` is cancelled.
pub(crate) async fn run(inputs: Inputs, stop: CancellationToken) {
    let (sender, events) = mpsc::channel(MAX_WAITING_EVENTS);
    let links = Links::new(sender, inputs.attach_bearer.clone());
    let fleet = Fleet::with_forget_after(inputs.forget_after);
    let mut task = FleetTask { fleet, links, inputs, events, publish_at: None };
    stop.run_until_cancelled(task.run()).await;
    let FleetTask { links, mut events, .. } = task;
    events.close();
    links.close().await;
}

struct FleetTask {
    fleet: Fleet,
    links: Links,
    inputs: Inputs,
    events: mpsc::Receiver<(Address, PodEvent)>,
    /// When the next view is published, where something has changed.
    publish_at: Option<Instant>,
}

impl FleetTask {
    async fn run(&mut self) {
        self.apply_discovery();
        self.publish();
        let mut batch = Vec::with_capacity(MAX_WAITING_EVENTS);
        let mut expiry = interval(EXPIRY_INTERVAL);
        expiry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let publish_at = self.publish_at;
            let publication = async {
                match publish_at {
                    Some(publish_at) => sleep_until(publish_at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                count = self.events.recv_many(&mut batch, MAX_WAITING_EVENTS) => {
                    if count == 0 {
                        return;
                    }
                    let now = clock::now();
                    for (address, event) in batch.drain(..) {
                        self.fleet.apply(&address, event, now);
                    }
                    self.schedule_publication();
                }
                Ok(()) = self.inputs.discovery_state.changed() => self.apply_discovery(),
                Some(command) = self.inputs.commands.recv() => self.handle(command),
                true = StoreLookup::changed(self.inputs.store.as_mut()) => self.apply_store_records(),
                () = self.links.ended() => {}
                _ = expiry.tick() => self.expire(),
                () = publication => {
                    self.expire();
                    self.publish();
                }
            }
        }
    }

    /// Applies the pods that discovery has found.
    fn apply_discovery(&mut self) {
        let state = self.inputs.discovery_state.borrow_and_update().clone();
        if let Some(pods) = &state.pods {
            self.fleet.apply_discovery(pods, clock::now());
        }
        self.fleet.set_discovery_error(state.error.as_deref());
        self.links.follow(&self.fleet);
        self.schedule_publication();
    }

    /// Applies the changes that time alone makes.
    fn expire(&mut self) {
        let now = clock::now();
        if self.fleet.expire(now) | self.fleet.record_trend(now) {
            self.schedule_publication();
        }
        for address in self.fleet.take_relists(now) {
            self.links.relist(&address);
        }
        if let Some(store) = &self.inputs.store {
            store.set_queries(self.fleet.store_query());
        }
        self.links.follow(&self.fleet);
    }

    /// Executes a command. The view that shows its effect is published before the result is sent.
    fn handle(&mut self, command: Command) {
        let Command::Forget { pod, result } = command;
        let forgotten = self.fleet.forget(&pod, clock::now());
        self.links.follow(&self.fleet);
        self.publish();
        // The command takes effect even where its sender has gone.
        let _ = result.send(forgotten);
    }

    /// Applies what the shared store knows of pods.
    fn apply_store_records(&mut self) {
        let Some(found) = self.inputs.store.as_mut().map(StoreLookup::latest) else { return };
        let Some(started_at) = found.started_at.filter(|_| found.error.is_none()) else { return };
        if self.fleet.apply_store_records(|pod| found.pod_records.get(pod).cloned(), started_at, clock::now()) {
            self.links.follow(&self.fleet);
            self.schedule_publication();
        }
    }

    fn schedule_publication(&mut self) {
        self.publish_at = self.publish_at.or_else(|| Some(Instant::now() + PUBLISH_INTERVAL));
    }

    fn publish(&mut self) {
        self.inputs.views.send_replace(Arc::new(self.fleet.view()));
        self.publish_at = None;
    }
}
