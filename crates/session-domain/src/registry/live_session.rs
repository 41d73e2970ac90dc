//! One session of this pod: its identity, its activity, its presence, and whether it was notified.

mod delivery;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::handoff::{self, HandoffState};
use super::limits::{Limits, UNCONFIRMED_TTL};
use super::presence::{Connections, PresenceClock, PresenceKind, PresenceStatus, RequestHistory};
use super::reclaiming::Reclaims;
use super::work::SessionWork;
use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::NoticeId;
use crate::outcome::Outcome;
use crate::session::{SessionView, TaskView};
use crate::shared::SharedSession;
use crate::time::Timestamp;

/// A shared store takes the last activity from the time at which it wrote the session, a little after the first request.
/// Activity within this time after the login is not a second request.
const FIRST_ACTIVITY: Duration = Duration::from_secs(1);

/// A session that this pod owns or owned: see [`LiveSession::has_ended`].
#[derive(Debug)]
pub struct LiveSession<X> {
    identity: Mutex<Identity>,
    login_time: Timestamp,
    last_activity: AtomicI64,
    /// Whether the cookie came back at least once.
    is_confirmed: AtomicBool,
    pub(super) connections: Connections,
    /// The id of the last notice that the session was notified of, 0 for none.
    notified: AtomicU64,
    /// Whether the session is in the queue of changes, for each [`ChangeConsumer`].
    queued: [AtomicBool; 2],
    is_stored: AtomicBool,
    /// The presence that watchers were last sent.
    reported_present: AtomicBool,
    /// How far a handoff has come with it.
    pub(super) handoff: HandoffState,
    /// Whether it lives at another pod by now.
    is_moved: AtomicBool,
    /// Whether it is listed among the sessions whose requests are waited for. Changed under the lock of that list.
    is_kept_for_requests: AtomicBool,
    /// Its work in progress on this pod. Made when the first work begins.
    work: OnceLock<Arc<SessionWork>>,
    attachment: X,
}

/// What only a login, a reclaim and the end change. The lock is held briefly, and only by requests of the same session.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) id: SessionId,
    pub(super) user: UserName,
    pub(super) ended: Option<Outcome>,
    pub(super) reclaims: Reclaims,
}

/// Takes changes, at its own pace.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChangeConsumer {
    Watchers,
    Store,
}

impl<X> LiveSession<X> {
    pub(super) fn new(id: SessionId, user: UserName, attachment: X, now: Timestamp) -> Self {
        Self {
            identity: Mutex::new(Identity { id, user, ended: None, reclaims: Reclaims::default() }),
            login_time: now,
            last_activity: AtomicI64::new(now.as_millis()),
            is_confirmed: AtomicBool::new(false),
            connections: Connections::new(now),
            notified: AtomicU64::new(0),
            queued: [AtomicBool::new(false), AtomicBool::new(false)],
            is_stored: AtomicBool::new(false),
            reported_present: AtomicBool::new(false),
            handoff: HandoffState::default(),
            is_moved: AtomicBool::new(false),
            is_kept_for_requests: AtomicBool::new(false),
            work: OnceLock::new(),
            attachment,
        }
    }

    /// A session of another pod. A request has brought its cookie here, so it is confirmed. Times in the future come from
    /// the other pod's clock and are cut to `now`.
    pub(super) fn adopted(session: &SharedSession, attachment: X, now: Timestamp) -> Self {
        let last_activity = session.last_activity.min(now);
        Self {
            login_time: session.login_time.min(last_activity),
            last_activity: AtomicI64::new(last_activity.as_millis()),
            is_confirmed: AtomicBool::new(true),
            is_stored: AtomicBool::new(true),
            ..Self::new(session.id, session.user.clone(), attachment, now)
        }
    }

    /// The session's current id.
    pub fn id(&self) -> SessionId {
        self.lock().id
    }

    /// The user that the session belongs to now.
    pub fn user(&self) -> UserName {
        self.lock().user.clone()
    }

    /// When the session began. A login that names the user does not change it.
    pub const fn login_time(&self) -> Timestamp {
        self.login_time
    }

    /// When its last request arrived, at this pod or, as far as is known, at another.
    pub fn last_activity(&self) -> Timestamp {
        Timestamp::from_millis(self.last_activity.load(Ordering::Relaxed))
    }

    /// How the session ended; `None` while it lives.
    pub fn outcome(&self) -> Option<Outcome> {
        self.lock().ended
    }

    /// Whether the session has ended here. A session that moved lives on at another pod.
    pub fn has_ended(&self) -> bool {
        self.outcome().is_some()
    }

    /// Whether the session lives at another pod by now. Takes no lock.
    pub(super) fn is_moved(&self) -> bool {
        // `SeqCst`, as the counts of connections: either a request that begins sees the move, or the move sees the request.
        self.is_moved.load(Ordering::SeqCst)
    }

    /// Returns what was set before.
    pub(super) fn set_kept_for_requests(&self, is_kept: bool) -> bool {
        self.is_kept_for_requests.swap(is_kept, Ordering::Relaxed)
    }

    pub(super) fn mark_moved(&self) {
        self.is_moved.store(true, Ordering::SeqCst);
    }

    /// What the caller attached when the session started.
    pub const fn attachment(&self) -> &X {
        &self.attachment
    }

    /// Whether anything of the session is open on this pod.
    pub fn is_connected(&self) -> bool {
        self.connections.any_open()
    }

    /// Whether the session has protected work in progress on this pod.
    pub fn is_protected(&self) -> bool {
        self.work.get().is_some_and(|work| work.is_protected())
    }

    /// Whether this pod keeps the session as long as it serves: it holds an open event stream, a WebSocket or protected work
    /// of it. Other pods adopt the session only once this pod drains or is gone.
    pub fn is_pinned(&self) -> bool {
        let holds = |kind| self.connections.count(kind) > 0;
        holds(PresenceKind::EventStream)
            || holds(PresenceKind::WebSocket)
            || self.work.get().is_some_and(|work| work.runs_here())
    }

    /// The tasks that run for the session on this pod, oldest first.
    pub fn tasks(&self) -> Vec<TaskView> {
        self.work.get().filter(|work| work.is_protected()).map(|work| work.tasks()).unwrap_or_default()
    }

    pub(super) fn work(&self) -> Arc<SessionWork> {
        let identity = self.lock();
        Arc::clone(self.work.get_or_init(|| SessionWork::new(identity.id)))
    }

    pub(super) fn has_work(&self, work: &Arc<SessionWork>) -> bool {
        self.work.get().is_some_and(|own| Arc::ptr_eq(own.current_arc(), work.current_arc()))
    }

    /// Takes in work that began before this pod held the session.
    pub(super) fn set_work(&self, work: Arc<SessionWork>) {
        self.work.get_or_init(|| work);
    }

    /// The work in progress on this pod, if any ever was.
    pub(super) fn known_work(&self) -> Option<Arc<SessionWork>> {
        self.work.get().cloned()
    }

    /// Records a request that another pod served.
    pub fn record_activity(&self, at: Timestamp) {
        self.last_activity.fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    /// Records that the session's cookie came back, to this pod or to another.
    pub fn mark_cookie_returned(&self) {
        self.is_confirmed.store(true, Ordering::Relaxed);
    }

    pub(super) fn touch(&self, now: Timestamp) {
        self.record_activity(now);
        self.mark_cookie_returned();
    }

    /// Describes the session to other pods and to the admin tier. [`Registry::is_notified`](super::Registry::is_notified)
    /// and [`Registry::is_present`](super::Registry::is_present) give the last two arguments.
    pub fn view(&self, pod: &PodName, notified: bool, present: bool) -> SessionView {
        let identity = self.lock();
        SessionView {
            id: identity.id,
            user: identity.user.clone(),
            login_time: self.login_time,
            last_activity: self.last_activity(),
            pod: pod.clone(),
            event_streams: self.connections.count(PresenceKind::EventStream),
            websockets: self.connections.count(PresenceKind::WebSocket),
            tasks: self.tasks(),
            in_flight_requests: self.connections.count(PresenceKind::Request),
            notified,
            asked_to_move: self.handoff.is_asked(),
            present: Some(present),
            protected: Some(self.is_protected()),
        }
    }

    /// Whether the session may be ended to make room: its cookie never came back, and nothing of it is open.
    pub fn may_be_evicted(&self) -> bool {
        self.is_unconfirmed() && !self.is_connected() && !self.is_protected()
    }

    /// Whether the session lives and its cookie never came back.
    pub(super) fn is_unconfirmed(&self) -> bool {
        !self.cookie_came_back() && !self.has_ended()
    }

    /// Whether the cookie came back, to this pod or, as far as is known, to another.
    fn cookie_came_back(&self) -> bool {
        self.is_confirmed() || self.last_activity() > self.login_time().plus(FIRST_ACTIVITY)
    }

    /// Whether the cookie was recorded as returned.
    fn is_confirmed(&self) -> bool {
        self.is_confirmed.load(Ordering::Relaxed)
    }

    /// Whether nothing is open and the session has been idle for longer than its time to live. A session that the running
    /// countdown waits for does not expire.
    pub(super) fn is_expired(&self, limits: &Limits, now: Timestamp, countdown: Option<Timestamp>) -> bool {
        if self.connections.any_open()
            || self.is_protected()
            || (countdown.is_some() && self.presence(limits, now, countdown).is_present)
        {
            return false;
        }
        let last = self.last_activity().max(self.connections.last_closed());
        let ttl = if self.is_confirmed() { limits.session_ttl } else { limits.session_ttl.min(UNCONFIRMED_TTL) };
        now >= last.plus(ttl)
    }

    /// The presence at `now`; `countdown` is when the running countdown began.
    pub(super) fn presence(&self, limits: &Limits, now: Timestamp, countdown: Option<Timestamp>) -> PresenceStatus {
        if self.is_protected() {
            return PresenceStatus { is_present: true, until: None };
        }
        if let Some(turn) = self.handoff.turn()
            && !self.connections.any_open()
        {
            return handoff::absence(turn, self.connections.last_stream_closed(), limits, now);
        }
        let requests =
            RequestHistory { last_activity: self.last_activity(), cookie_came_back: self.cookie_came_back() };
        self.connections.presence(requests, limits, PresenceClock { now, countdown_started_at: countdown })
    }

    /// Marks the session as notified of this notice. Returns `true` the first time.
    pub(super) fn mark_notified(&self, id: NoticeId) -> bool {
        self.notified.swap(id.0.get(), Ordering::AcqRel) != id.0.get()
    }

    /// The id of the last notice that the session was notified of, 0 for none.
    pub(super) fn notified(&self) -> u64 {
        self.notified.load(Ordering::Acquire)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock()
    }
}
