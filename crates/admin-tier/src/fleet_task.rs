//! The one owner of the fleet: takes in which pods there are and what the links to them hear, and publishes what
//! everybody reads.

mod commands;
mod links;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use commands::{Command, Commands};
use fleet::{Address, Fleet, FleetView, PodEvent};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::discovery::Findings;
use crate::link::Presenter;
use crate::orphans::StoreLink;
use links::Links;

/// What links may have said before they have to wait for us.
const BACKLOG: usize = 64;

/// A view is published at most so often: a hundred thousand changes in one second cost ten publications.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// How often is looked after what changes by time alone.
const TEND_EVERY: Duration = Duration::from_secs(1);

/// What the fleet is fed from, and where it is read.
pub(crate) struct Inputs {
    pub(crate) findings: watch::Receiver<Findings>,
    pub(crate) presenter: Presenter,
    /// What operators want.
    pub(crate) commands: mpsc::Receiver<Command>,
    /// The shared store, where there is one.
    pub(crate) store: Option<StoreLink>,
    /// How long a silent pod stays.
    pub(crate) forget_after: Duration,
    pub(crate) views: watch::Sender<Arc<FleetView>>,
}

/// Links to all pods, and the fleet that they make, until `stop` is cancelled.
pub(crate) async fn keep(inputs: Inputs, stop: CancellationToken) {
    let (ear, heard) = mpsc::channel(BACKLOG);
    let links = Links::new(ear, inputs.presenter.clone());
    let fleet = Fleet::with_forget_after(inputs.forget_after);
    let mut owner = Owner { fleet, links, inputs, heard, due: None };
    stop.run_until_cancelled(owner.listen()).await;
    let Owner { links, mut heard, .. } = owner;
    heard.close();
    links.close().await;
}

struct Owner {
    fleet: Fleet,
    links: Links,
    inputs: Inputs,
    heard: mpsc::Receiver<(Address, PodEvent)>,
    /// When the next view is published, where there is something new.
    due: Option<Instant>,
}

impl Owner {
    async fn listen(&mut self) {
        self.find();
        self.publish();
        let mut batch = Vec::with_capacity(BACKLOG);
        let mut tending = interval(TEND_EVERY);
        tending.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.due;
            let publishing = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                count = self.heard.recv_many(&mut batch, BACKLOG) => {
                    if count == 0 {
                        return;
                    }
                    let now = clock::now();
                    for (address, heard) in batch.drain(..) {
                        self.fleet.apply(&address, heard, now);
                    }
                    self.is_new();
                }
                Ok(()) = self.inputs.findings.changed() => self.find(),
                Some(command) = self.inputs.commands.recv() => self.obey(command),
                true = StoreLink::looked(self.inputs.store.as_mut()) => self.ask_store(),
                () = self.links.ended() => {}
                _ = tending.tick() => self.expire(),
                () = publishing => {
                    self.expire();
                    self.publish();
                }
            }
        }
    }

    /// Takes in which pods there are.
    fn find(&mut self) {
        let findings = self.inputs.findings.borrow_and_update().clone();
        if let Some(pods) = &findings.pods {
            self.fleet.apply_discovery(pods, clock::now());
        }
        self.fleet.set_discovery_error(findings.trouble.as_deref());
        self.links.follow(&self.fleet);
        self.is_new();
    }

    /// Lets go of whose time is over, and sees that there are links where they are needed, and no others.
    fn expire(&mut self) {
        let now = clock::now();
        if self.fleet.expire(now) | self.fleet.record_trend(now) {
            self.is_new();
        }
        for address in self.fleet.take_relists(now) {
            self.links.relist(&address);
        }
        if let Some(store) = &self.inputs.store {
            store.ask(self.fleet.store_query());
        }
        self.links.follow(&self.fleet);
    }

    /// Does what an operator wants. The view that shows it is published before the answer.
    fn obey(&mut self, command: Command) {
        let Command::Forget { pod, answer } = command;
        let forgotten = self.fleet.forget(&pod, clock::now());
        self.links.follow(&self.fleet);
        self.publish();
        // Where nobody waits any more, it is done all the same.
        let _ = answer.send(forgotten);
    }

    /// Takes in what the shared store knows of pods.
    fn ask_store(&mut self) {
        let Some(found) = self.inputs.store.as_mut().map(StoreLink::found) else { return };
        let Some(began) = found.began.filter(|_| found.error.is_none()) else { return };
        if self.fleet.apply_store_records(|pod| found.of_pods.get(pod).cloned(), began, clock::now()) {
            self.links.follow(&self.fleet);
            self.is_new();
        }
    }

    fn is_new(&mut self) {
        self.due = self.due.or_else(|| Some(Instant::now() + PUBLISH_EVERY));
    }

    fn publish(&mut self) {
        self.inputs.views.send_replace(Arc::new(self.fleet.view()));
        self.due = None;
    }
}
