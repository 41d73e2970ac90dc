//! The one owner of the fleet: takes in what the links hear, and publishes what everybody reads.

use std::sync::Arc;
use std::time::Duration;

use session_domain::fleet::{Address, Fleet, FleetView, Heard};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::clock;
use crate::link::{self, Presenter};

/// What links may have said before they have to wait for us.
const BACKLOG: usize = 1_024;

/// A view is published at most so often: a hundred thousand changes in one second cost ten publications.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// Links to all pods, and the fleet that they make, until `stop` is cancelled.
pub(crate) async fn keep(
    addresses: Vec<Address>,
    presenter: Presenter,
    views: watch::Sender<Arc<FleetView>>,
    stop: CancellationToken,
) {
    let (ear, mut heard) = mpsc::channel(BACKLOG);
    let mut fleet = Fleet::new();
    let mut links = JoinSet::new();
    for address in addresses {
        fleet.add(&address);
        links.spawn(link::run(address, presenter.clone(), ear.clone(), stop.clone()));
    }
    views.send_replace(Arc::new(fleet.view()));
    let listening = listen(&mut fleet, &mut heard, &views);
    stop.run_until_cancelled(listening).await;
    drop(ear);
    heard.close();
    while let Some(ended) = links.join_next().await {
        if let Err(error) = ended {
            error!(%error, "a link failed");
        }
    }
}

async fn listen(
    fleet: &mut Fleet,
    heard: &mut mpsc::Receiver<(Address, Heard)>,
    views: &watch::Sender<Arc<FleetView>>,
) {
    let mut batch = Vec::with_capacity(BACKLOG);
    let mut due: Option<Instant> = None;
    loop {
        let publish = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            count = heard.recv_many(&mut batch, BACKLOG) => {
                if count == 0 {
                    return;
                }
                let now = clock::now();
                for (address, heard) in batch.drain(..) {
                    fleet.apply(&address, heard, now);
                }
                due = due.or_else(|| Some(Instant::now() + PUBLISH_EVERY));
            }
            () = publish => {
                views.send_replace(Arc::new(fleet.view()));
                due = None;
            }
        }
    }
}
