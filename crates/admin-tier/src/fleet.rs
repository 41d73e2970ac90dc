//! The one owner of the fleet: takes in which pods there are and what the links to them hear, and publishes what
//! everybody reads.

mod links;

use std::sync::Arc;
use std::time::Duration;

use session_domain::fleet::{Address, Fleet, FleetView, Heard};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::discovery::Findings;
use crate::link::Presenter;
use links::Links;

/// What links may have said before they have to wait for us.
const BACKLOG: usize = 1_024;

/// A view is published at most so often: a hundred thousand changes in one second cost ten publications.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// How often is looked after what changes by time alone.
const TEND_EVERY: Duration = Duration::from_secs(1);

/// Links to all pods, and the fleet that they make, until `stop` is cancelled.
pub(crate) async fn keep(
    findings: watch::Receiver<Findings>,
    presenter: Presenter,
    views: watch::Sender<Arc<FleetView>>,
    stop: CancellationToken,
) {
    let (ear, heard) = mpsc::channel(BACKLOG);
    let links = Links::new(ear, presenter);
    let mut owner = Owner { fleet: Fleet::new(), links, findings, heard, views, due: None };
    stop.run_until_cancelled(owner.listen()).await;
    let Owner { links, mut heard, .. } = owner;
    heard.close();
    links.close().await;
}

struct Owner {
    fleet: Fleet,
    links: Links,
    findings: watch::Receiver<Findings>,
    heard: mpsc::Receiver<(Address, Heard)>,
    views: watch::Sender<Arc<FleetView>>,
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
                Ok(()) = self.findings.changed() => self.find(),
                () = self.links.ended() => {}
                _ = tending.tick() => self.tend(),
                () = publishing => {
                    self.tend();
                    self.publish();
                }
            }
        }
    }

    /// Takes in which pods there are.
    fn find(&mut self) {
        let findings = self.findings.borrow_and_update().clone();
        if let Some(pods) = &findings.pods {
            self.fleet.list(pods, clock::now());
        }
        self.fleet.discovery_failed(findings.trouble.as_deref());
        self.links.follow(&self.fleet);
        self.is_new();
    }

    /// Lets go of whose time is over, and sees that there are links where they are needed, and no others.
    fn tend(&mut self) {
        let now = clock::now();
        if self.fleet.tend(now) | self.fleet.step(now) {
            self.is_new();
        }
        self.links.follow(&self.fleet);
    }

    fn is_new(&mut self) {
        self.due = self.due.or_else(|| Some(Instant::now() + PUBLISH_EVERY));
    }

    fn publish(&mut self) {
        self.views.send_replace(Arc::new(self.fleet.view()));
        self.due = None;
    }
}
