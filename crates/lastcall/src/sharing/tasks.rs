//! Starts the tasks that share sessions, and ends them with the pod.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Sharing, inbox, lease, peers, reconcile, task_sync, writer};
use crate::closers::Closer;
use crate::store::StoreError;

/// A pod that starts waits this long for its store.
const FIRST_CONTACT_TIMEOUT: Duration = Duration::from_secs(3);

/// The store gets this long to take pending writes when the pod stops.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The part of [`SHUTDOWN_TIMEOUT`] that the store may take before the server stops, while the resources of the app are closed.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A store that takes its writes within this time is not worth a line of the log.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(100);

/// How often a store that was unavailable is tried again while the pod stops.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// Waits for the store for at most [`FIRST_CONTACT_TIMEOUT`], and starts the tasks. They run until `stop` is cancelled.
pub(crate) async fn start(sharing: &Arc<Sharing>, stop: &CancellationToken) -> JoinSet<()> {
    if timeout(FIRST_CONTACT_TIMEOUT, lease::first_contact(sharing)).await.is_err() {
        let error = StoreError::Unavailable("it did not answer in time".to_owned());
        sharing.health.record_write::<()>(Err(error), sharing.clock.now());
    }
    sharing.keys.start_signing();
    let mut tasks = JoinSet::new();
    let requests = sharing.writer_requests.lock().take();
    if let Some(requests) = requests {
        tasks.spawn(writer::run(Arc::clone(sharing), requests, stop.clone()));
    }
    tasks.spawn(lease::run(Arc::clone(sharing), stop.clone()));
    tasks.spawn(peers::run(Arc::clone(sharing), stop.clone()));
    tasks.spawn(inbox::run(Arc::clone(sharing), stop.clone()));
    tasks.spawn(task_sync::run(Arc::clone(sharing), stop.clone()));
    tasks.spawn(reconcile::run(Arc::clone(sharing), stop.clone()));
    tasks
}

/// The store as a resource that is closed after all those of the app: what is pending is written while the server is still there. Later changes
/// are written by [`shut_down`].
pub(crate) fn closer(sharing: &Arc<Sharing>) -> Closer {
    let sharing = Arc::clone(sharing);
    let flush = async move {
        let started_at = Instant::now();
        // If the closer is dropped at its time limit, it counts as having used all of it.
        sharing.set_close_time(CLOSE_TIMEOUT);
        sharing.flush().await;
        sharing.set_close_time(started_at.elapsed());
    };
    Closer::new("session store", CLOSE_TIMEOUT, flush).announced_after(ANNOUNCE_AFTER)
}

/// Releases the lease and writes what is pending. Waits for at most [`SHUTDOWN_TIMEOUT`], less what [`closer`] has taken of it, and
/// beyond that for what remains of the termination grace period while ends of sessions are pending.
pub(crate) async fn shut_down(sharing: &Arc<Sharing>, mut tasks: JoinSet<()>, stop: &CancellationToken) {
    let limit = SHUTDOWN_TIMEOUT.saturating_sub(sharing.close_time()).max(sharing.remaining_grace_period());
    let closing = async {
        // First of all: from here on other pods end sessions whose users log out there.
        sharing.lease_released.cancel();
        if sharing.health().is_writable() {
            let released = sharing.store.release_lease(&sharing.config.pod).await;
            sharing.health.record_write(released, sharing.clock.now());
            reconcile::apply_unread(sharing).await;
        }
        stop.cancel();
        while tasks.join_next().await.is_some() {}
    };
    if timeout(limit, closing).await.is_err() {
        warn!(shutdown.timeout_seconds = limit.as_secs(), "the session store did not accept every write in time");
    }
}

impl Sharing {
    fn set_close_time(&self, time: Duration) {
        self.close_millis.store(time.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Release);
    }

    /// How long the store was waited for by its [`closer`].
    fn close_time(&self) -> Duration {
        Duration::from_millis(self.close_millis.load(Ordering::Acquire))
    }

    /// What remains of the termination grace period once the drain's own waits are over. Zero where the operator hurries, or
    /// the grace period is not configured.
    fn remaining_grace_period(&self) -> Duration {
        let (now, lifecycle) = (self.clock.now(), *self.lifecycle.borrow());
        let (Some(granted), Some(since)) = (self.config.termination_grace_period, lifecycle.drain_started_at()) else {
            return Duration::ZERO;
        };
        let until = since.plus(granted.saturating_sub(SHUTDOWN_TIMEOUT));
        if self.is_hurried.load(Ordering::Acquire) { Duration::ZERO } else { until.since(now) }
    }

    /// Whether the pod may wait longer for the store before it stops.
    pub(super) fn may_wait_at_shutdown(&self) -> bool {
        self.remaining_grace_period() > Duration::ZERO
    }

    /// Finds out, after a pause, whether a store that was unavailable answers again.
    pub(super) async fn probe(&self) {
        tokio::time::sleep(PROBE_INTERVAL).await;
        self.health.record_read(self.store.contents().await, self.clock.now());
    }
}
