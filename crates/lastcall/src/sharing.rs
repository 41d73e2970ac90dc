//! Shares this pod's sessions with the other pods through a store.
//!
//! The rules are in `session_domain::shared`; the data is in the [store](crate::store). This module decides when the store is
//! asked, in which order, and for how long a caller waits. The rest of the crate reaches it through
//! [`Sessions`](crate::sessions::Sessions).
//!
//! - **adoption**: a request names a session that this pod does not own: the pod adopts it, or serves it as a guest
//! - **adopter**: whether this pod declares that it adopts the sessions of pods that stop
//! - **guests**: sessions that are served here and owned by other pods, and what their owners are asked to do
//! - **claim**, **ending**, **logout**, **sign_in**: how the owner of a session ends it or gives it another id
//! - **writer**: the one task that writes; a caller that needs an acknowledgement asks it
//! - **outbox**, **inbox**: the messages between pods
//! - **moving bodies**: uploads and downloads of guests, which their owners have to know of
//! - **task sync**, **task requests**: the tasks of sessions, which run on one pod and are known to the others
//! - **peers**: whether another pod can adopt the sessions of this one
//! - **lease**: renews the pod's lease, and notices when the store goes, returns, or has lost its data
//! - **health**: the health of the store
//! - **reconcile**: compares the pod's sessions with the store: adopted by other pods, requested to end, or lost there
//! - **keys**: the signing keys that the pods agree on

mod adopter;
mod adoption;
mod claim;
mod ending;
mod guest_requests;
mod guests;
mod health;
mod hints;
mod inbox;
mod keys;
mod lease;
mod logout;
mod moving_bodies;
mod outbox;
mod own_sessions;
mod owners;
mod peers;
mod reconcile;
mod sign_in;
mod task_requests;
mod task_sync;
mod tasks;
#[cfg(test)]
mod tests;
mod writer;
mod writer_request;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use adopter::AdopterState;
use adoption::AdoptionLocks;
use arc_swap::ArcSwap;
use guests::GuestTable;
use health::HealthMonitor;
use hints::InboxState;
use keys::KeyRing;
use moving_bodies::MovingBodies;
use outbox::Outbox;
use owners::OwnerCache;
use parking_lot::Mutex;
use peers::Peers;
use session_domain::SessionId;
use session_domain::lifecycle::Lifecycle;
use task_sync::TaskSync;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use writer_request::WriterRequest;

pub(crate) use task_requests::TaskLookupError;
pub(crate) use tasks::{CLOSE_TIMEOUT, SHUTDOWN_TIMEOUT, closer, shut_down, start};

use crate::clock::Clock;
use crate::config::Config;
use crate::sessions::live::{LiveSession, SessionRegistry};
use crate::signing_keys::SigningKeys;
use crate::store::SessionStore;
use crate::store_health::StoreHealth;

/// A caller waits this long for an acknowledgement of a writable store: two answers of one that is just not unavailable.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(4);

/// A request waits this long for the lookup of a session that this pod does not own.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

/// A pod's side of a shared store.
pub(crate) struct Sharing {
    config: Config,
    registry: Arc<SessionRegistry>,
    clock: Clock,
    lifecycle: watch::Receiver<Lifecycle>,
    store: Arc<dyn SessionStore>,
    health: HealthMonitor,
    keys: KeyRing,
    adoptions: AdoptionLocks,
    guests: GuestTable,
    owners: OwnerCache,
    peers: Peers,
    adopter: AdopterState,
    inbox: InboxState,
    outbox: Outbox,
    tasks: TaskSync,
    moving_bodies: MovingBodies,
    writer: mpsc::UnboundedSender<WriterRequest>,
    /// Taken by the writer when it starts.
    writer_requests: Mutex<Option<mpsc::UnboundedReceiver<WriterRequest>>>,
    /// Sessions that the store should have and does not: ended on another pod, or lost there.
    missing: Mutex<HashMap<SessionId, LiveSession>>,
    /// Sessions that another pod has adopted while this one had streams or WebSockets of them open.
    moved: Mutex<Vec<LiveSession>>,
    /// Whether the operator wants the pod to stop without waiting for the store.
    is_hurried: AtomicBool,
    /// How long the store was waited for while resources were closed, in milliseconds.
    close_millis: AtomicU64,
    /// Cancelled when the lease is released.
    lease_released: CancellationToken,
    /// Wakes the sweep: every session has to be compared with the store at once.
    sweep_all: Notify,
    /// Wakes the writer: the store may have gone back to an earlier state, and recent ends are written again.
    rewrite_ends: Notify,
}

impl std::fmt::Debug for Sharing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sharing").field("pod", &self.config.pod).finish_non_exhaustive()
    }
}

impl Sharing {
    pub(crate) fn new(
        config: &Config,
        store: Arc<dyn SessionStore>,
        registry: Arc<SessionRegistry>,
        clock: Clock,
        lifecycle: watch::Receiver<Lifecycle>,
        keys: Arc<ArcSwap<SigningKeys>>,
    ) -> Self {
        let (writer, requests) = mpsc::unbounded_channel();
        Self {
            registry,
            clock,
            lifecycle,
            store,
            health: HealthMonitor::new(),
            keys: KeyRing::new(keys, config.shared_key, clock.now()),
            config: config.clone(),
            adoptions: AdoptionLocks::new(),
            guests: GuestTable::default(),
            owners: OwnerCache::default(),
            peers: Peers::default(),
            adopter: AdopterState::default(),
            inbox: InboxState::default(),
            outbox: Outbox::default(),
            tasks: TaskSync::default(),
            moving_bodies: MovingBodies::default(),
            writer,
            writer_requests: Mutex::new(Some(requests)),
            missing: Mutex::default(),
            moved: Mutex::default(),
            is_hurried: AtomicBool::new(false),
            close_millis: AtomicU64::new(0),
            lease_released: CancellationToken::new(),
            sweep_all: Notify::new(),
            rewrite_ends: Notify::new(),
        }
    }

    /// The health of the store, as far as this pod knows it.
    pub(crate) fn health(&self) -> StoreHealth {
        self.health.now()
    }

    /// Whether the store has ever taken a write.
    pub(crate) fn was_writable(&self) -> bool {
        self.health.was_writable()
    }

    /// Follows the health of the store.
    pub(crate) fn watch_health(&self) -> watch::Receiver<StoreHealth> {
        self.health.subscribe()
    }

    /// Records that a request goes to the app without its session, which cannot be looked up.
    pub(crate) fn record_unresolved(&self) {
        self.health.record_unresolved();
    }

    /// The number of store operations that failed.
    pub(crate) fn errors(&self) -> u64 {
        self.health.errors()
    }

    /// Whether the pod signs cookies with a key that the other pods do not know yet. It cannot tell their cookies from forged
    /// ones then.
    pub(crate) fn keys_are_provisional(&self) -> bool {
        self.keys.are_provisional()
    }

    /// Records that the operator does not want to wait, not for the store either.
    pub(crate) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Release);
    }

    /// Waits until the store has acknowledged all earlier changes, as long as it takes writes.
    pub(crate) async fn flush(&self) {
        let (done, acknowledged) = oneshot::channel();
        if self.health().is_writable() && self.writer.send(WriterRequest::Flush(done)).is_ok() {
            // What is acknowledged later is written behind: nothing is lost.
            let _ = self.while_writable(acknowledged).await;
        }
    }

    /// Waits until the store has acknowledged all earlier changes of tasks, as long as it takes writes.
    pub(crate) async fn flush_tasks(self: &Arc<Self>) {
        if self.health().is_writable() {
            let sharing = Arc::clone(self);
            // What is acknowledged later is written behind: nothing is lost.
            let _ = timeout(ACKNOWLEDGE_TIMEOUT, run_to_completion(async move { sharing.sync_tasks().await })).await;
        }
    }

    /// Waits for an answer, but no longer than the store takes writes, nor than [`ACKNOWLEDGE_TIMEOUT`].
    async fn while_writable<T>(&self, answer: oneshot::Receiver<T>) -> Option<T> {
        let mut health = self.health.subscribe();
        let fails = async { _ = health.wait_for(|health| !health.is_writable()).await };
        let answered = timeout(ACKNOWLEDGE_TIMEOUT, answer);
        tokio::select! {
            biased;
            answered = answered => answered.ok()?.ok(),
            () = fails => None,
        }
    }
}

/// Runs to completion even where the caller is cancelled: a half-done adoption would leave a session with no owner, or with
/// two.
async fn run_to_completion<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
}
