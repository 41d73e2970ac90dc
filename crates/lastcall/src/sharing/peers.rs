//! Whether another pod can adopt sessions, as the leases of the pods say. Asked while a handoff runs only.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Sharing;

/// How often the leases are read.
const READ_INTERVAL: Duration = Duration::from_millis(500);

/// The same at first: where all pods get their signal at once, each learns it of the others before it asks a session to move there.
const FIRST_READ_INTERVAL: Duration = Duration::from_millis(100);

/// How often they are read at that interval.
const FIRST_READS: u32 = 20;

/// Whether the last read found a pod that can adopt sessions.
#[derive(Debug, Default)]
pub(super) struct Peers {
    can_adopt: watch::Sender<bool>,
}

/// Reads the leases during a shutdown, until `stop` is cancelled.
pub(super) async fn run(sharing: Arc<Sharing>, stop: CancellationToken) {
    if sharing.config.policy.handoff.is_none() {
        return stop.cancelled().await;
    }
    let mut lifecycle = sharing.lifecycle.clone();
    let follow = async {
        // The sender lives as long as the service.
        let _ = lifecycle.wait_for(|lifecycle| lifecycle.phase().is_shutting_down()).await;
        for read in 0_u32.. {
            let pods = sharing.store.adopters().await;
            let pods = sharing.health.record_read(pods, sharing.clock.now());
            // Where the store does not answer, nothing can move, whatever was known.
            let can_adopt = pods.is_some_and(|pods| pods.iter().any(|pod| *pod != sharing.config.pod));
            sharing.peers.can_adopt.send_if_modified(|known| std::mem::replace(known, can_adopt) != can_adopt);
            sleep(if read < FIRST_READS { FIRST_READ_INTERVAL } else { READ_INTERVAL }).await;
        }
    };
    stop.run_until_cancelled(follow).await;
}

impl Sharing {
    /// Whether sessions can move to another pod now. `false` before a shutdown.
    pub(crate) fn can_move_sessions(&self) -> bool {
        let health = self.health();
        health.is_readable() && health.is_writable() && *self.peers.can_adopt.borrow()
    }

    /// Follows whether another pod can adopt sessions.
    pub(crate) fn watch_peers(&self) -> watch::Receiver<bool> {
        self.peers.can_adopt.subscribe()
    }
}
