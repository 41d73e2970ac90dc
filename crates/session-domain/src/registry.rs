//! The pod's own live sessions: bounded, counted, and ended exactly once.
//!
//! The registry is the truth about this pod. Finding and touching a session takes no lock that another request
//! waits for and allocates nothing; how many sessions there are costs one load; only a drain, a sweep and a
//! snapshot walk them. Each session carries an attachment `X` that the registry never looks at: what its owner
//! needs to reach the session's streams.
//!
//! Every session that a walk meets is counted once: [`Registry::totals`] and [`Registry::walk`] agree whenever
//! nothing is on its way, that is `logins + adopted = walked + ended`.

mod capacity;
mod changes;
mod feed;
mod live;
mod presence;
mod replaced;
#[cfg(test)]
mod tests;
mod unconfirmed;
mod unwritten;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub use capacity::AdmissionError;
use capacity::Capacity;
pub use changes::Change;
use changes::{Changes, Reader};
pub use feed::ChangeFeed;
pub use live::LiveSession;
pub use presence::{Presence, PresenceKind};
pub use replaced::REPLACED_TTL;
use replaced::ReplacedIds;
use unconfirmed::Unconfirmed;
use unwritten::Unwritten;

use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::{Admission, Notice, NoticeId, Population};
use crate::outcome::{Ledger, Outcome, Totals};
use crate::shared::SharedSession;
use crate::time::Timestamp;

/// How long a session whose cookie has not come back counts as present after its last request, at the most.
pub const UNCONFIRMED_LINGER: Duration = Duration::from_secs(5);

/// How long a session lives whose cookie never came back.
pub const UNCONFIRMED_TTL: Duration = Duration::from_secs(60);

/// What the registry holds sessions to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sessions held at the most.
    pub max_sessions: u64,
    /// Idle time after which a session with nothing open expires.
    pub session_ttl: Duration,
    /// How long a session that had a stream counts as present after its last connection closed.
    pub presence_linger: Duration,
    /// The same for a session that never had a stream, counted from its last request, once its cookie has come back; at most
    /// [`UNCONFIRMED_LINGER`] before that.
    pub streamless_linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 100_000,
            session_ttl: Duration::from_secs(3600),
            presence_linger: Duration::from_secs(10),
            streamless_linger: Duration::from_secs(60),
        }
    }
}

/// Who is there, and until when that holds if nothing happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Who is there.
    pub population: Population,
    /// When the next session stops being present by itself.
    pub next_absence: Option<Timestamp>,
}

/// A place for a session of another pod. Dropped, it is free again.
#[must_use = "the place is free again when this is dropped"]
pub struct AdoptionSlot<'a, X> {
    registry: &'a Registry<X>,
    is_taken_in: bool,
}

impl<X> std::fmt::Debug for AdoptionSlot<'_, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdoptionSlot").field("pod", &self.registry.pod).finish_non_exhaustive()
    }
}

impl<X> AdoptionSlot<'_, X> {
    /// Takes over a session from another pod. Nobody else may do so for the same id meanwhile, and it must not be here.
    /// Where it was told of `told` at that pod already it is not told, nor counted as told, once more.
    pub fn adopt(
        mut self,
        session: &SharedSession,
        told: Option<NoticeId>,
        attachment: X,
        now: Timestamp,
    ) -> Arc<LiveSession<X>> {
        self.is_taken_in = true;
        self.registry.adopt(session, told, attachment, now)
    }
}

impl<X> Drop for AdoptionSlot<'_, X> {
    fn drop(&mut self) {
        if !self.is_taken_in {
            self.registry.capacity.release();
            (self.registry.population_changed)();
        }
    }
}

/// The pod's sessions.
pub struct Registry<X> {
    pod: PodName,
    limits: Limits,
    sessions: papaya::HashMap<SessionId, Arc<LiveSession<X>>>,
    capacity: Capacity,
    ledger: Ledger,
    changes: Changes<X>,
    /// Who goes first where the pod is full.
    unconfirmed: Unconfirmed<X>,
    /// Ids that a login has replaced a short while ago.
    replaced: ReplacedIds,
    /// Where a store has to follow; a pod on its own keeps no such list.
    unwritten: Option<Unwritten<X>>,
    /// The id of the notice that runs, 0 for none.
    notice: AtomicU64,
    /// When its countdown began; means something only while one runs.
    countdown_began: AtomicI64,
    population_changed: Box<dyn Fn() + Send + Sync>,
    session_ended: Option<EndObserver<X>>,
}

/// Is given every session that ends, with its outcome.
type EndObserver<X> = Box<dyn Fn(&LiveSession<X>, Outcome) + Send + Sync>;

impl<X> std::fmt::Debug for Registry<X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("pod", &self.pod).field("active", &self.active()).finish_non_exhaustive()
    }
}

impl<X> Registry<X> {
    /// Makes an empty registry. `population_changed` is called, from whatever thread, whenever a session comes,
    /// leaves, or opens its first or closes its last connection; it must be quick and must not call back.
    pub fn new(pod: PodName, limits: Limits, population_changed: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            pod,
            capacity: Capacity::new(limits.max_sessions),
            limits,
            sessions: papaya::HashMap::new(),
            ledger: Ledger::default(),
            changes: Changes::new(Reader::Watchers),
            unconfirmed: Unconfirmed::new(),
            replaced: ReplacedIds::new(limits.max_sessions),
            unwritten: None,
            notice: AtomicU64::new(0),
            countdown_began: AtomicI64::new(0),
            population_changed: Box::new(population_changed),
            session_ended: None,
        }
    }

    /// The same, with a store that follows: [`Registry::take_pending_writes`] has to be called then.
    #[must_use]
    pub fn with_store(mut self) -> Self {
        self.unwritten = Some(Unwritten { changes: Changes::new(Reader::Store), departed: papaya::HashMap::new() });
        self
    }

    /// The same, with an observer of ends: called once for each session that ends, from whatever thread. It must be quick and must
    /// not call back.
    #[must_use]
    pub fn with_end_observer(mut self, ended: impl Fn(&LiveSession<X>, Outcome) + Send + Sync + 'static) -> Self {
        self.session_ended = Some(Box::new(ended));
        self
    }

    /// The pod these sessions are on.
    pub fn pod(&self) -> &PodName {
        &self.pod
    }

    /// Sessions held.
    pub fn active(&self) -> u64 {
        self.capacity.reserved()
    }

    /// The books.
    pub fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    /// Takes in these from now on. One that has been admitted may still appear.
    pub fn set_admission(&self, admit: Admission) {
        self.capacity.set(admit);
    }

    /// Takes in no more than these from now on; whom it does not take in already it still does not.
    pub fn restrict_admission(&self, most: Admission) {
        self.capacity.restrict(most);
    }

    /// Whether newcomers are let in, as far as the lifecycle is concerned.
    pub fn admits_newcomers(&self) -> bool {
        self.capacity.admits(Admission::Open)
    }

    /// Whether a session of another pod would be taken over now.
    pub fn admits_adoptions(&self) -> bool {
        self.capacity.admits(Admission::AdoptionsOnly) && !self.is_full()
    }

    /// Whether it holds as many sessions as it may.
    pub fn is_full(&self) -> bool {
        self.active() >= self.limits.max_sessions
    }

    /// Whether it holds so many sessions that newcomers had better go to another pod: from 95 % of the limit until below 90 %.
    pub fn is_nearly_full(&self) -> bool {
        self.capacity.is_nearly_full()
    }

    /// Starts a session. `id` must be new.
    ///
    /// # Errors
    /// Where the pod is full, or starts no sessions now. Nothing has changed then.
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
        self.changed(&session);
        (self.population_changed)();
        Ok(session)
    }

    /// Admits a session of another pod, before that pod is asked for it: what is admitted now is taken in afterwards, though the
    /// pod may have stopped admitting sessions meanwhile.
    ///
    /// # Errors
    /// Where the pod is full, or takes no sessions now.
    pub fn reserve_adoption(&self) -> Result<AdoptionSlot<'_, X>, AdmissionError> {
        self.capacity.reserve(Admission::AdoptionsOnly)?;
        Ok(AdoptionSlot { registry: self, is_taken_in: false })
    }

    fn adopt(
        &self,
        session: &SharedSession,
        told: Option<NoticeId>,
        attachment: X,
        now: Timestamp,
    ) -> Arc<LiveSession<X>> {
        let live = Arc::new(LiveSession::adopted(session, attachment, now));
        if let Some(notice) = told {
            live.mark_notified(notice);
        }
        self.ledger.adopted.fetch_add(1, Ordering::Relaxed);
        self.sessions.pin().insert(session.id, Arc::clone(&live));
        self.changed(&live);
        (self.population_changed)();
        live
    }

    /// Counts a session whose owner is gone, and whose user logs out here: taken over and ended in one step, whatever the
    /// pod admits.
    pub fn count_logout_for_gone_owner(&self) {
        self.ledger.adopted.fetch_add(1, Ordering::Relaxed);
        self.ledger.count_end(Outcome::Logout);
    }

    /// Finds the session with this id, unless it has expired its time. Such a one ends here; but where a store follows,
    /// another pod may have it by now, and whoever ends it has to ask there first.
    pub fn find(&self, id: SessionId, now: Timestamp) -> Option<Arc<LiveSession<X>>> {
        let session = self.get(id)?;
        if !self.is_expired(&session, now) {
            return Some(session);
        }
        if self.unwritten.is_none() {
            self.end(&session, Outcome::Expired);
        }
        None
    }

    /// The session with this id, whether its time is over or not.
    pub fn get(&self, id: SessionId) -> Option<Arc<LiveSession<X>>> {
        self.sessions.pin().get(&id).map(Arc::clone)
    }

    /// Records a request of the session: it was active, and its cookie came back.
    pub fn touch(&self, session: &Arc<LiveSession<X>>, now: Timestamp) {
        session.touch(now);
        self.changed(session);
    }

    /// Gives the session a name and a new id. Its streams, its counters and its login time follow; the old id
    /// finds nothing from now on, and is known as [replaced](Registry::is_replaced) for a while. Counts neither a login nor
    /// an end. `false` where the session has ended.
    pub fn rename(&self, session: &Arc<LiveSession<X>>, new_id: SessionId, user: UserName, now: Timestamp) -> bool {
        let mut identity = session.lock();
        if identity.ended.is_some() {
            return false;
        }
        let sessions = self.sessions.pin();
        sessions.insert(new_id, Arc::clone(session));
        self.add_tombstone(identity.id);
        let old_id = std::mem::replace(&mut identity.id, new_id);
        identity.user = user;
        // Before the old id finds nothing: a request that carries it must find one or the other.
        self.replaced.add(old_id, now);
        session.mark_lost();
        self.changes.removed(old_id, None);
        sessions.remove(&old_id);
        drop(identity);
        self.write_removed(old_id, None);
        self.changed(session);
        true
    }

    /// Ends the session. `false` where it had ended already: only the first end counts.
    pub fn end(&self, session: &Arc<LiveSession<X>>, outcome: Outcome) -> bool {
        let mut identity = session.lock();
        if identity.ended.is_some() {
            return false;
        }
        identity.ended = Some(outcome);
        let id = identity.id;
        // One that moved lives on: whoever finds it in the store is right.
        if outcome != Outcome::Moved {
            self.add_tombstone(id);
        }
        // Before the id is free: who takes the session over again is heard of after this.
        self.changes.removed(id, Some(outcome));
        self.sessions.pin().remove(&id);
        self.ledger.count_end(outcome);
        self.capacity.release();
        drop(identity);
        self.write_removed(id, Some(outcome));
        if let Some(ended) = &self.session_ended {
            ended(session, outcome);
        }
        (self.population_changed)();
        true
    }

    /// Ends the session because its user leaves. A logout of a told session while the notice runs is graceful;
    /// only such a one is an automatic logout where `automatic` says so. Gives the outcome, or `None` where the
    /// session had ended already.
    pub fn log_out(&self, session: &Arc<LiveSession<X>>, automatic: bool) -> Option<Outcome> {
        let graceful = self.is_notified(session);
        let outcome = if graceful && automatic { Outcome::AutoLogout } else { Outcome::Logout };
        if !self.end(session, outcome) {
            return None;
        }
        if graceful {
            self.ledger.graceful.fetch_add(1, Ordering::Relaxed);
        }
        Some(outcome)
    }

    /// A notice runs from now on, in place of any other. Where it is the one that runs already, only sooner due or for
    /// another reason, who was waited for is waited for still.
    pub fn begin_notice(&self, notice: &Notice) {
        let id = notice.id.0.get();
        if self.notice.load(Ordering::Acquire) != id {
            self.countdown_began.store(notice.started_at.as_millis(), Ordering::Relaxed);
            self.notice.store(id, Ordering::Release);
        }
    }

    /// No notice runs from now on: it was taken back, or its time is over. Nobody counts as told any more.
    pub fn end_notice(&self) {
        self.notice.store(0, Ordering::Release);
        self.walk(|session| self.changed(session));
    }

    /// The session was told of the notice `id`. Counts once for each notice, and only while that notice runs.
    pub fn mark_notified(&self, session: &Arc<LiveSession<X>>, id: NoticeId) -> bool {
        let runs = self.notice.load(Ordering::Acquire) == id.0.get();
        let first = runs && session.notified() != id.0.get() && !session.has_ended() && session.mark_notified(id);
        if first {
            self.ledger.notified.fetch_add(1, Ordering::Relaxed);
            self.changed(session);
        }
        first
    }

    /// Whether the session was told of the notice that runs now.
    pub fn is_notified(&self, session: &LiveSession<X>) -> bool {
        let running = self.notice.load(Ordering::Acquire);
        running != 0 && session.notified() == running
    }

    /// Counts who is there. Walks the sessions.
    pub fn census(&self, now: Timestamp) -> Census {
        let countdown = self.countdown_began();
        let mut census = Census::default();
        self.walk(|session| {
            census.population.held += 1;
            let attendance = session.attendance(&self.limits, now, countdown);
            census.population.present += u64::from(attendance.present);
            if let Some(until) = attendance.until {
                census.next_absence = Some(census.next_absence.map_or(until, |next| next.min(until)));
            }
        });
        census
    }

    /// Whoever is present. To be ended one by one by [`Registry::end_all`], once nobody else can have them any more.
    pub fn present_sessions(&self, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        let countdown = self.countdown_began();
        self.choose(|session| session.attendance(&self.limits, now, countdown).present)
    }

    /// Every session that has expired its time. To be ended by [`Registry::end_all`].
    pub fn expired(&self, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        self.unconfirmed.prune();
        self.replaced.prune(now);
        let countdown = self.countdown_began();
        self.choose(|session| session.is_expired(&self.limits, now, countdown))
    }

    /// Whether the session has expired its time.
    pub fn is_expired(&self, session: &LiveSession<X>, now: Timestamp) -> bool {
        session.is_expired(&self.limits, now, self.countdown_began())
    }

    /// Ends these with `outcome`, and gives those that had not ended already.
    pub fn end_all(&self, mut sessions: Vec<Arc<LiveSession<X>>>, outcome: Outcome) -> Vec<Arc<LiveSession<X>>> {
        sessions.retain(|session| self.end(session, outcome));
        sessions
    }

    /// Ends every remaining session with `outcome`, and gives those that it ended. Where nobody is admitted no session
    /// remains: one that was admitted just before is waited for.
    pub fn release_remaining(&self, outcome: Outcome) -> Vec<Arc<LiveSession<X>>> {
        let mut released = self.end_all(self.all_sessions(), outcome);
        while self.has_unreleased_sessions() {
            // Between its admission and its place in the map a session is for a moment counted and not to be found.
            std::thread::yield_now();
            released.extend(self.end_all(self.all_sessions(), outcome));
        }
        released
    }

    /// Whether sessions are still held although none is admitted any more: they have to be released.
    pub fn has_unreleased_sessions(&self) -> bool {
        !self.capacity.admits(Admission::AdoptionsOnly) && self.active() > 0
    }

    /// Every session.
    pub fn all_sessions(&self) -> Vec<Arc<LiveSession<X>>> {
        self.choose(|_| true)
    }

    /// Visits every session once, in no order. A session that comes or goes, or is given another id meanwhile, may be
    /// visited or not: whoever must not miss one walks again while [`Registry::active`] says that there are some.
    pub fn walk(&self, mut visit: impl FnMut(&Arc<LiveSession<X>>)) {
        for (id, session) in &self.sessions.pin() {
            // While a session is given another id it stands under both for a moment.
            if session.id() == *id {
                visit(session);
            }
        }
    }

    /// Whether the session is present.
    pub fn is_present(&self, session: &LiveSession<X>, now: Timestamp) -> bool {
        session.attendance(&self.limits, now, self.countdown_began()).present
    }

    /// Counts the sessions that are present, for watchers. Presence lapses by time alone, so every session whose presence
    /// is not what [`LiveSession::mark_reported_present`] says is queued as changed. Walks the sessions.
    pub fn queue_presence_changes(&self, now: Timestamp) -> u64 {
        let countdown = self.countdown_began();
        let mut present = 0;
        self.walk(|session| {
            let is_present = session.attendance(&self.limits, now, countdown).present;
            present += u64::from(is_present);
            if is_present != session.is_reported_present() {
                self.changes.updated(session);
            }
        });
        present
    }

    /// A watcher that has just come was told whether the session is present. Where that is not what the others were told
    /// last, the session is queued, so that all are told the same.
    pub fn reconcile_reported_presence(&self, session: &Arc<LiveSession<X>>, present: bool) {
        if session.is_reported_present() != present {
            self.changes.updated(session);
        }
    }

    /// What has changed since the last call, in the order in which it happened.
    pub fn take_changes(&self) -> Vec<Change<X>> {
        self.changes.take()
    }

    fn choose(&self, which: impl Fn(&LiveSession<X>) -> bool) -> Vec<Arc<LiveSession<X>>> {
        let mut chosen = Vec::new();
        self.walk(|session| {
            if which(session) {
                chosen.push(Arc::clone(session));
            }
        });
        chosen
    }

    fn changed(&self, session: &Arc<LiveSession<X>>) {
        self.changes.updated(session);
        if let Some(unwritten) = &self.unwritten {
            unwritten.changes.updated(session);
        }
    }

    /// After the id is free: a writer that finds the session here still takes it for one that came back.
    fn write_removed(&self, id: SessionId, outcome: Option<Outcome>) {
        if let Some(unwritten) = &self.unwritten {
            unwritten.changes.removed(id, outcome);
        }
    }

    fn countdown_began(&self) -> Option<Timestamp> {
        let running = self.notice.load(Ordering::Acquire) != 0;
        running.then(|| Timestamp::from_millis(self.countdown_began.load(Ordering::Relaxed)))
    }
}
