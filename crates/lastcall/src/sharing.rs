//! What a pod does so that others know its sessions, and so that it knows of theirs. The rules are
//! `session_domain::shared`'s, what is kept is the [store](crate::store)'s; this is when, in which order, and for how long
//! a caller waits. The rest of the crate reaches it through [`Sessions`](crate::sessions::Sessions).
//!
//! - **adoption**: a request names a session that this pod does not hold: it is adopted, or served as a guest
//! - **guest**: a session that is served here and owned by another pod, and what its owner is asked for
//! - **ending**: how a session ends or is renamed by the pod that owns it
//! - **writer**: the one task that writes; a caller that needs an acknowledgement asks it
//! - **lease**: renews the pod's lease, and notices when the store goes, returns, or has lost everything
//! - **health**: what is known of the store's health
//! - **reconcile**: compares the pod's own sessions with the store: adopted by others, asked for something, or lost there
//! - **keys**: the signing keys that the pods agree on

mod adoption;
mod ending;
mod guest;
mod health;
mod keys;
mod lease;
mod reconcile;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
pub(crate) use guest::Guest;
use health::HealthMonitor;
pub(crate) use health::StoreHealth;
use keys::KeyRing;
use session_domain::lifecycle::{Lifecycle, Reason};
use session_domain::shared::{Adopts, Owner, OwnerNotice, SharedSession};
use session_domain::{PodName, SessionId, Timestamp};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use writer::Ask;

use crate::clock::Clock;
use crate::config::Config;
use crate::cookie::SigningKeys;
use crate::notice::Terms;
use crate::sessions::{Live, SessionRegistry};
use crate::store::{Message, OwnerRequest, Position, SessionStore};
use crate::streams::CloseReason;

/// A pod whose lease is not renewed for so long is gone.
const LEASE: Duration = Duration::from_secs(5);

/// A caller waits so long for an acknowledgement of a store that takes writes: two rounds of one that is just not away.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(4);

/// A request waits so long to learn of a session that this pod does not hold.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

/// A pod that starts waits so long for its store.
const FIRST_CONTACT_TIMEOUT: Duration = Duration::from_secs(3);

/// At the end the store gets so long to take what is unwritten.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// First sights of one session take turns: so many locks that two sessions rarely wait for each other.
const TURNS: usize = 64;

/// Pages of unread messages that are read to answer one question. Where there are more, there is no answer.
const MAX_UNREAD_PAGES: usize = 50;

/// What a pod says of itself is asked for again after so long: its guests here cost one question a request, not two.
const OWNER_HOLDS: Duration = Duration::from_millis(500);

/// A pod's side of a shared store.
pub(crate) struct Sharing {
    config: Config,
    registry: Arc<SessionRegistry>,
    clock: Clock,
    lifecycle: watch::Receiver<Lifecycle>,
    store: Arc<dyn SessionStore>,
    health: HealthMonitor,
    keys: KeyRing,
    turns: [tokio::sync::Mutex<()>; TURNS],
    writer: mpsc::UnboundedSender<Ask>,
    asks: Mutex<Option<mpsc::UnboundedReceiver<Ask>>>,
    /// When guests were last active, and at which pod they live.
    touches: papaya::HashMap<SessionId, (PodName, Timestamp)>,
    /// What other pods said of themselves, and when they were asked.
    owners: papaya::HashMap<PodName, (Owner, Timestamp)>,
    /// Guests with an event stream here: they have to be told when their session ends elsewhere.
    guests: Mutex<HashMap<SessionId, Vec<Weak<Guest>>>>,
    /// What owners of sessions have to be asked for, and could not be.
    unasked: Mutex<HashMap<SessionId, OwnerRequest>>,
    /// Sessions that the store should have and does not: ended elsewhere, or lost there.
    missing: Mutex<HashMap<SessionId, Live>>,
    /// Messages up to here have been acted on.
    inbox_position: Mutex<Position>,
    /// Messages that could not be sent: they are sent once the store takes writes.
    unsent: Mutex<Vec<(PodName, Message)>>,
    /// Notices that owners have been told of: each is told once.
    told_notices: Mutex<HashSet<(SessionId, Reason)>>,
    /// Sessions that a request looks for right now.
    arriving: Mutex<HashSet<SessionId>>,
    /// What messages have told of and could not be decided yet.
    undecided: Mutex<HashMap<SessionId, reconcile::Told>>,
    is_hurried: AtomicBool,
    /// Cancelled when the lease is given back.
    leaving: CancellationToken,
    /// Wakes the sweep: every session has to be compared with the store at once.
    sweep_all: Notify,
    /// The store may have gone back to an earlier state: recent ends are written again.
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
        let (writer, asks) = mpsc::unbounded_channel();
        Self {
            registry,
            clock,
            lifecycle,
            store,
            health: HealthMonitor::new(),
            keys: KeyRing::new(keys, config.shared_key, clock.now()),
            config: config.clone(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            writer,
            asks: Mutex::new(Some(asks)),
            touches: papaya::HashMap::new(),
            owners: papaya::HashMap::new(),
            unasked: Mutex::default(),
            guests: Mutex::default(),
            missing: Mutex::default(),
            inbox_position: Mutex::default(),
            unsent: Mutex::default(),
            told_notices: Mutex::default(),
            arriving: Mutex::default(),
            undecided: Mutex::default(),
            is_hurried: AtomicBool::new(false),
            leaving: CancellationToken::new(),
            sweep_all: Notify::new(),
            rewrite_ends: Notify::new(),
        }
    }

    /// How the store is, as far as is known.
    pub(crate) fn health(&self) -> StoreHealth {
        self.health.now()
    }

    /// Whether the store has ever taken a write.
    pub(crate) fn was_writable(&self) -> bool {
        self.health.was_writable()
    }

    /// Follows the store's health.
    pub(crate) fn watch_health(&self) -> watch::Receiver<StoreHealth> {
        self.health.subscribe()
    }

    /// Operations that failed.
    pub(crate) fn errors(&self) -> u64 {
        self.health.errors()
    }

    /// Whether the pod signs cookies with a key that the other pods do not know yet: it cannot tell theirs from forged ones.
    pub(crate) fn keys_are_provisional(&self) -> bool {
        self.keys.are_provisional()
    }

    /// Waits until what was changed before is acknowledged, as long as the store takes writes.
    pub(crate) async fn flush(&self) {
        let (done, acknowledged) = oneshot::channel();
        if self.health().is_writable() && self.writer.send(Ask::Flushed(done)).is_ok() {
            // What is acknowledged later is written behind: nothing is lost.
            let _ = self.while_writable(acknowledged).await;
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

    fn record_missing(&self, session: &Live) {
        locked(&self.missing).insert(session.id(), Arc::clone(session));
    }

    fn take_missing(&self) -> HashMap<SessionId, Live> {
        std::mem::take(&mut *locked(&self.missing))
    }

    /// The owner of a session cannot be asked now. Its id means nothing here from now on.
    fn ask_later(&self, id: SessionId, request: OwnerRequest) {
        self.registry.add_tombstone(id);
        locked(&self.unasked).insert(id, request);
    }

    fn end_later(&self, id: SessionId, automatic: bool) {
        self.ask_later(id, OwnerRequest::End { automatic });
    }

    fn take_unasked(&self) -> HashMap<SessionId, OwnerRequest> {
        std::mem::take(&mut *locked(&self.unasked))
    }

    fn turn(&self, id: SessionId) -> &tokio::sync::Mutex<()> {
        &self.turns[usize::from(id.as_uuid().as_bytes()[0]) % TURNS]
    }

    /// Whether the pod adopts sessions now.
    fn adopts(&self) -> Adopts {
        if self.registry.admits_adoptions() {
            return Adopts::Yes;
        }
        let phase = self.lifecycle.borrow().phase();
        if phase == session_domain::Phase::Maintenance && !self.registry.is_full() {
            Adopts::Closed
        } else {
            Adopts::No
        }
    }

    /// What a pod says of itself. Asked for a moment ago, it is taken from memory. A lease that is missing is not believed
    /// while its pod may not have been able to renew it.
    async fn owner(&self, pod: &PodName) -> Option<Owner> {
        let now = self.clock.now();
        if let Some((owner, asked)) = self.owners.pin().get(pod)
            && now < asked.plus(OWNER_HOLDS)
        {
            return Some(owner.aged(now.since(*asked)));
        }
        let owner = self.health.read(self.store.owner(pod).await, now)?;
        if owner.is_gone() {
            self.owners.pin().remove(pod);
            return Some(if self.health.believes_leases(now) { owner } else { Owner::Unknown });
        }
        self.owners.pin().insert(pod.clone(), (owner, now));
        Some(owner)
    }

    /// The notice that runs here, for the pods that serve guests of ours.
    fn notice(&self) -> Option<OwnerNotice> {
        let notice = self.lifecycle.borrow().notice()?;
        let terms = Terms::of(&self.config, notice.reason, Some(self.health()));
        Some(OwnerNotice {
            reason: notice.reason,
            remaining: notice.remaining(self.clock.now()),
            auto_logout: terms.auto_logout,
            stays_signed_in: terms.stays_signed_in,
        })
    }

    /// The session as the store keeps it.
    fn shared(&self, session: &Live) -> SharedSession {
        let is_notified = self.registry.is_notified(session);
        let view = session.view(&self.config.pod, is_notified, false);
        let notice = self.lifecycle.borrow().notice();
        SharedSession {
            id: view.id,
            user: view.user,
            login_time: view.login_time,
            last_activity: view.last_activity,
            pod: view.pod,
            streaming: view.event_streams > 0 || session.attachment().is_awaited(self.clock.now()),
            notified: notice.filter(|_| is_notified).map(|notice| notice.reason),
        }
    }

    /// The store has lost the session: what the registry holds is true.
    fn write_anew(&self, session: &Live) {
        session.mark_lost();
        self.registry.queue_write(session);
    }

    /// Another pod has adopted the session: it goes on there, and counts neither as a logout nor as forced.
    fn let_move(&self, session: &Live) {
        crate::sessions::end(&self.registry, session, session_domain::Outcome::Moved, CloseReason::Moved);
    }

    /// What is left of the time that Kubernetes grants, with the drain's waits all over. Nothing where the operator hurries, or
    /// the pod was not told what is granted.
    fn granted_at_the_end(&self) -> Duration {
        let (now, lifecycle) = (self.clock.now(), *self.lifecycle.borrow());
        let (Some(granted), Some(since)) = (self.config.termination_grace_period, lifecycle.drain_started_at()) else {
            return Duration::ZERO;
        };
        let until = since.plus(granted.saturating_sub(SHUTDOWN_TIMEOUT));
        if self.is_hurried.load(Ordering::Acquire) { Duration::ZERO } else { until.since(now) }
    }

    /// The operator does not want to wait: not for the store either.
    pub(crate) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Release);
    }

    fn may_wait_at_the_end(&self) -> bool {
        self.granted_at_the_end() > Duration::ZERO
    }

    /// Finds out whether a store that was away answers again, at the pace of the lease.
    async fn probe(&self) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.health.read(self.store.contents().await, self.clock.now());
    }

    /// The ids that unread messages say were adopted by other pods, or asked for. `None` where the store does not say.
    async fn unread(&self) -> Option<HashMap<SessionId, reconcile::Told>> {
        let mut position = locked(&self.inbox_position).clone();
        let mut told = locked(&self.undecided).clone();
        for _ in 0..MAX_UNREAD_PAGES {
            let page = self.store.inbox(&self.config.pod, &position, Duration::ZERO).await;
            let page = self.health.read(page, self.clock.now())?;
            told.extend(reconcile::Told::of_all(&page.messages));
            match page.last {
                Some(last) => position = last,
                None => return Some(told),
            }
        }
        None
    }

    /// Whether sessions that end now are released to other pods, whether or not the store acknowledges it.
    fn is_released_at_the_end(&self) -> bool {
        let phase = self.lifecycle.borrow().phase();
        self.config.forced_end == crate::config::ForcedEnd::Release
            && matches!(phase, session_domain::Phase::Draining | session_domain::Phase::Propagating)
    }

    /// The guests with a stream here.
    fn streaming_guests(&self) -> Vec<Arc<Guest>> {
        let mut guests = locked(&self.guests);
        guests.retain(|_, guests| {
            guests.retain(|guest| guest.upgrade().is_some_and(|guest| guest.streams().any_open()));
            !guests.is_empty()
        });
        guests.values().flatten().filter_map(Weak::upgrade).collect()
    }

    /// Closes the streams of the guests of a session.
    fn close_guests(&self, id: SessionId, reason: CloseReason) {
        for guest in locked(&self.guests).remove(&id).into_iter().flatten().filter_map(|guest| guest.upgrade()) {
            guest.streams().close_all(reason);
        }
    }
}

/// A poisoned lock is safe to reuse: every critical section changes one collection, and panics before it does or not at all.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs to completion even where the caller is cancelled: a half-done adoption would leave a session with no owner, or with
/// two.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
}

/// Begins to share: waits for the store, but not for ever, and starts the tasks.
pub(crate) async fn begin(sharing: &Arc<Sharing>, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let contact = timeout(FIRST_CONTACT_TIMEOUT, lease::first_contact(sharing)).await;
    if contact.is_err() {
        sharing.health.written::<()>(
            Err(crate::store::StoreError::Away("it did not answer in time".to_owned())),
            sharing.clock.now(),
        );
    }
    sharing.keys.begin();
    let asks = locked(&sharing.asks).take();
    if let Some(asks) = asks {
        tasks.spawn(writer::write(Arc::clone(sharing), asks, stop.clone()));
    }
    tasks.spawn(lease::keep(Arc::clone(sharing), stop.clone()));
    tasks.spawn(reconcile::read_inbox(Arc::clone(sharing), stop.clone()));
    tasks.spawn(reconcile::compare(Arc::clone(sharing), stop.clone()));
    tasks
}

/// Writes what is unwritten and gives the lease back, as far as the time allows: that is [`SHUTDOWN_TIMEOUT`], and what
/// Kubernetes grants beyond it where sessions have ended that the store does not know of.
pub(crate) async fn end(sharing: &Arc<Sharing>, mut tasks: JoinSet<()>, stop: &CancellationToken) {
    let patience = SHUTDOWN_TIMEOUT.max(sharing.granted_at_the_end());
    let closing = async {
        // First of all: from here on other pods end sessions whose users log out there.
        sharing.leaving.cancel();
        if sharing.health().is_writable() {
            let left = sharing.store.leave(&sharing.config.pod).await;
            sharing.health.written(left, sharing.clock.now());
            reconcile::read_what_is_left(sharing).await;
        }
        stop.cancel();
        while tasks.join_next().await.is_some() {}
    };
    if timeout(patience, closing).await.is_err() {
        warn!(shutdown.timeout_seconds = patience.as_secs(), "the session store did not take everything in time");
    }
}

/// The ids in a list of sessions.
fn ids(sessions: &[Live]) -> HashSet<SessionId> {
    sessions.iter().map(|session| session.id()).collect()
}
