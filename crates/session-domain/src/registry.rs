//! The sessions that this pod owns: bounded in number, counted, and ended exactly once.
//!
//! [`Registry`] is the source of truth for this pod. A request that looks up or touches a session takes no lock that
//! another session's request waits for. The number of sessions costs one atomic load. Only a drain, the expiry sweep
//! and a snapshot walk all sessions. Each [`LiveSession`] carries an attachment `X` that the registry never reads: the
//! caller keeps there what it needs to reach the session's streams.
//!
//! # Invariants
//! - A session ends once and has one [`Outcome`].
//! - While no call is in progress, `logins + adopted = walked + ended`, where `walked` is the number of sessions that
//!   [`Registry::walk`] visits and the other numbers are those of [`Registry::totals`].
//! - The registry never holds more sessions than [`Limits::max_sessions`].
//! - It never reads a clock: the caller passes the time.
//! - It never does I/O: a shared store follows through [`Registry::take_pending_writes`], watchers through
//!   [`Registry::take_changes`].

mod adoption;
mod capacity;
mod census;
mod change_feed;
mod change_queue;
mod ending;
mod eviction;
mod handoff;
mod limits;
mod live_session;
mod lookup;
mod moved_requests;
mod notices;
mod pending_writes;
mod presence;
mod presence_guard;
mod reclaiming;
mod renaming;
mod replaced_ids;
#[cfg(test)]
mod tests;
mod unconfirmed;
mod work;
mod writes;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use adoption::AdoptionSlot;
pub use capacity::AdmissionError;
use capacity::Capacity;
pub use census::Census;
pub use change_feed::ChangeFeed;
pub use change_queue::Change;
use change_queue::ChangeQueue;
pub use handoff::{HandoffCensus, REOPEN_TIME};
pub use limits::{Limits, UNCONFIRMED_LINGER, UNCONFIRMED_TTL};
use live_session::ChangeConsumer;
pub use live_session::LiveSession;
use moved_requests::MovedRequests;
use notices::RunningNotice;
use pending_writes::PendingWrites;
pub use presence::PresenceKind;
pub use presence_guard::Presence;
pub use reclaiming::{OutdatedMark, OwnershipMark, Reclaim};
pub use replaced_ids::REPLACED_TTL;
use replaced_ids::ReplacedIds;
use unconfirmed::Unconfirmed;
use work::WorkTable;
pub use work::{EndedTask, MAX_TASKS, NewTask, Protection, SessionWork, TaskError};

use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::Admission;
use crate::outcome::{Ledger, Outcome, Totals};
use crate::time::Timestamp;

/// Holds the sessions of one pod.
pub struct Registry<X> {
    pod: PodName,
    limits: Limits,
    sessions: papaya::HashMap<SessionId, Arc<LiveSession<X>>>,
    capacity: Capacity,
    ledger: Ledger,
    /// Changes that the watchers have not seen yet.
    changes: ChangeQueue<X>,
    /// The sessions that are evicted first when the pod is full.
    unconfirmed: Unconfirmed<X>,
    /// Ids that a login has replaced within the last [`REPLACED_TTL`].
    replaced: ReplacedIds,
    /// Changes that the shared store does not have yet. Absent without a store.
    pending_writes: Option<PendingWrites<X>>,
    notice: RunningNotice,
    moved_requests: MovedRequests<X>,
    /// Work in progress on this pod.
    work: WorkTable,
    population_changed: Box<dyn Fn() + Send + Sync>,
    session_ended: Option<EndObserver<X>>,
    protection_changed: Option<ProtectionObserver<X>>,
    task_ended: Option<TaskObserver>,
    lease_advanced: Option<LeaseObserver>,
}

/// Gets every task that ends.
type TaskObserver = Box<dyn Fn(EndedTask<'_>) + Send + Sync>;

/// Is called when a lease ends earlier than all others did.
type LeaseObserver = Box<dyn Fn() + Send + Sync>;

/// Gets every session that becomes protected or ceases to be.
type ProtectionObserver<X> = Box<dyn Fn(&LiveSession<X>) + Send + Sync>;

/// Gets every session that ends, with its outcome.
type EndObserver<X> = Box<dyn Fn(&LiveSession<X>, Outcome) + Send + Sync>;

impl<X> std::fmt::Debug for Registry<X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("pod", &self.pod).field("active", &self.active()).finish_non_exhaustive()
    }
}

impl<X> Registry<X> {
    /// Makes an empty registry that admits all sessions.
    ///
    /// It calls `population_changed`, from any thread, when a session starts, ends, or opens its first or closes its
    /// last connection. The function must return quickly and must not call the registry.
    pub fn new(pod: PodName, limits: Limits, population_changed: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            pod,
            capacity: Capacity::new(limits.max_sessions),
            limits,
            sessions: papaya::HashMap::new(),
            ledger: Ledger::default(),
            changes: ChangeQueue::new(ChangeConsumer::Watchers),
            unconfirmed: Unconfirmed::new(),
            replaced: ReplacedIds::new(limits.max_sessions),
            pending_writes: None,
            notice: RunningNotice::default(),
            moved_requests: MovedRequests::default(),
            work: WorkTable::default(),
            population_changed: Box::new(population_changed),
            session_ended: None,
            protection_changed: None,
            task_ended: None,
            lease_advanced: None,
        }
    }

    /// Collects changes for a shared store, too. The caller must drain them with [`Registry::take_pending_writes`].
    #[must_use]
    pub fn with_store(mut self) -> Self {
        self.pending_writes = Some(PendingWrites::new());
        self
    }

    /// Calls `ended` once for each session that ends, from any thread. The function must return quickly and must not call the
    /// registry.
    #[must_use]
    pub fn with_end_observer(mut self, ended: impl Fn(&LiveSession<X>, Outcome) + Send + Sync + 'static) -> Self {
        self.session_ended = Some(Box::new(ended));
        self
    }

    /// Calls `changed`, from any thread, when a session of this pod becomes protected or ceases to be. The function must return
    /// quickly and must not call the registry.
    #[must_use]
    pub fn with_protection_observer(mut self, changed: impl Fn(&LiveSession<X>) + Send + Sync + 'static) -> Self {
        self.protection_changed = Some(Box::new(changed));
        self
    }

    /// Calls `ended`, from any thread, once for each task that ends. The function must return quickly and must not call the registry.
    #[must_use]
    pub fn with_task_observer(mut self, ended: impl Fn(EndedTask<'_>) + Send + Sync + 'static) -> Self {
        self.task_ended = Some(Box::new(ended));
        self
    }

    /// Calls `advanced`, from any thread, when [`Registry::next_lease_end`] becomes earlier. The function must return quickly and
    /// must not call the registry.
    #[must_use]
    pub fn with_lease_observer(mut self, advanced: impl Fn() + Send + Sync + 'static) -> Self {
        self.lease_advanced = Some(Box::new(advanced));
        self
    }

    /// Collects no changes for watchers until [`Registry::begin_watching`]: [`Registry::take_changes`] returns none and need not be
    /// called.
    #[must_use]
    pub fn without_watchers(self) -> Self {
        self.changes.set_enabled(false);
        self
    }

    /// Collects changes for watchers from now on. The caller must drain them with [`Registry::take_changes`]: they hold every
    /// session that has changed since.
    pub fn begin_watching(&self) {
        self.changes.set_enabled(true);
    }

    /// The pod that owns these sessions.
    pub fn pod(&self) -> &PodName {
        &self.pod
    }

    /// The number of sessions held, present or not.
    pub fn active(&self) -> u64 {
        self.capacity.reserved()
    }

    /// What the registry has counted since it was made.
    pub fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    /// Sets which sessions the registry admits. A session that was admitted before the call may still appear after it.
    pub fn set_admission(&self, admission: Admission) {
        self.capacity.set(admission);
    }

    /// Lowers the admission to `limit`; never raises it.
    pub fn restrict_admission(&self, limit: Admission) {
        self.capacity.restrict(limit);
    }

    /// Whether new sessions may start, as far as the lifecycle is concerned.
    pub fn admits_newcomers(&self) -> bool {
        self.capacity.admits(Admission::Open)
    }

    /// Whether the pod would adopt a session of another pod now.
    pub fn admits_adoptions(&self) -> bool {
        self.capacity.admits(Admission::AdoptionsOnly) && !self.is_full()
    }

    /// Whether the registry holds [`Limits::max_sessions`] sessions.
    pub fn is_full(&self) -> bool {
        self.active() >= self.limits.max_sessions
    }

    /// Whether newcomers should go to another pod: from 95 % of the limit until below 90 %.
    pub fn is_nearly_full(&self) -> bool {
        self.capacity.is_nearly_full()
    }

    /// Starts a session and counts a login. `id` must be new.
    ///
    /// # Errors
    /// If the pod is full or starts no sessions now. Nothing has changed then.
    pub fn start(
        &self,
        id: SessionId,
        user: UserName,
        attachment: X,
        now: Timestamp,
    ) -> Result<Arc<LiveSession<X>>, AdmissionError> {
        self.capacity.reserve(Admission::Open)?;
        let session = Arc::new(LiveSession::new(id, user, attachment, now));
        self.ledger.logins.fetch_add(1, Ordering::Relaxed);
        self.sessions.pin().insert(id, Arc::clone(&session));
        self.unconfirmed.push(&session);
        self.queue_change(&session);
        (self.population_changed)();
        Ok(session)
    }

    /// Records a request of the session: the session was active, and its cookie came back.
    pub fn touch(&self, session: &Arc<LiveSession<X>>, now: Timestamp) {
        session.touch(now);
        self.queue_change(session);
    }

    /// Takes the changes since the last call, in the order in which they happened, each session at most once.
    pub fn take_changes(&self) -> Vec<Change<X>> {
        self.changes.take()
    }

    /// Queues the session for the watchers and for the store.
    fn queue_change(&self, session: &Arc<LiveSession<X>>) {
        self.changes.push_updated(session);
        self.queue_write(session);
    }
}
