//! One session of this pod: identity, activity, presence, and whether it was told.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::changes::Reader;
use super::presence::{Attendance, Connections, PresenceKind, Seen, Times};
use super::{Limits, UNCONFIRMED_TTL};
use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::NoticeId;
use crate::outcome::Outcome;
use crate::session::SessionView;
use crate::shared::SharedSession;
use crate::time::Timestamp;

/// A session that lives on this pod, or did: see [`LiveSession::has_ended`].
#[derive(Debug)]
pub struct LiveSession<X> {
    identity: Mutex<Identity>,
    login_time: Timestamp,
    last_activity: AtomicI64,
    /// Whether the cookie came back at least once.
    confirmed: AtomicBool,
    pub(super) connections: Connections,
    /// The id of the last notice it was told of, 0 for none.
    told: AtomicU64,
    /// Whether it stands in the queue of changes, of each reader.
    queued: [AtomicBool; 2],
    /// Whether the shared store has it under its id, as far as is known.
    stored: AtomicBool,
    /// What watchers were told of its presence last.
    reported_present: AtomicBool,
    attachment: X,
}

/// What only a login and the end change. The lock is held for moments and by this session's requests only.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) id: SessionId,
    pub(super) user: UserName,
    pub(super) ended: Option<Outcome>,
}

impl<X> LiveSession<X> {
    pub(super) fn new(id: SessionId, user: UserName, attachment: X, now: Timestamp) -> Self {
        Self {
            identity: Mutex::new(Identity { id, user, ended: None }),
            login_time: now,
            last_activity: AtomicI64::new(now.as_millis()),
            confirmed: AtomicBool::new(false),
            connections: Connections::new(now),
            told: AtomicU64::new(0),
            queued: [AtomicBool::new(false), AtomicBool::new(false)],
            stored: AtomicBool::new(false),
            reported_present: AtomicBool::new(false),
            attachment,
        }
    }

    /// A session that began on another pod. Its cookie has come back: that is how it got here. Times that lie ahead of
    /// ours are another pod's clock.
    pub(super) fn adopted(session: &SharedSession, attachment: X, now: Timestamp) -> Self {
        let last_activity = session.last_activity.min(now);
        Self {
            login_time: session.login_time.min(last_activity),
            last_activity: AtomicI64::new(last_activity.as_millis()),
            confirmed: AtomicBool::new(true),
            stored: AtomicBool::new(true),
            ..Self::new(session.id, session.user.clone(), attachment, now)
        }
    }

    /// Whether the shared store has it, as far as is known: where it is missing then, somebody has taken it out.
    pub fn is_stored(&self) -> bool {
        self.stored.load(Ordering::Acquire)
    }

    /// Notes that the shared store has it under `id`. Does nothing where it has another id by now.
    pub fn mark_stored(&self, id: SessionId) {
        let identity = self.lock();
        if identity.id == id {
            self.stored.store(true, Ordering::Release);
        }
    }

    /// Notes that the shared store has lost it, and may be given it once more.
    pub fn mark_lost(&self) {
        self.stored.store(false, Ordering::Release);
    }

    /// Whether anything of it is open here.
    pub fn is_connected(&self) -> bool {
        self.connections.any_open()
    }

    /// Whether an event stream of it is open here.
    pub fn is_streaming(&self) -> bool {
        self.connections.open(PresenceKind::EventStream) > 0
    }

    /// The session's id now.
    pub fn id(&self) -> SessionId {
        self.lock().id
    }

    /// Who it belongs to now.
    pub fn user(&self) -> UserName {
        self.lock().user.clone()
    }

    /// When it began.
    pub const fn login_time(&self) -> Timestamp {
        self.login_time
    }

    /// When its last request came in.
    pub fn last_activity(&self) -> Timestamp {
        Timestamp::from_millis(self.last_activity.load(Ordering::Relaxed))
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.lock().ended
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.outcome().is_some()
    }

    /// What its owner hung on it.
    pub const fn attachment(&self) -> &X {
        &self.attachment
    }

    /// Watchers are told now whether it is present.
    pub fn mark_reported_present(&self, present: bool) {
        self.reported_present.store(present, Ordering::Relaxed);
    }

    pub(super) fn is_reported_present(&self) -> bool {
        self.reported_present.load(Ordering::Relaxed)
    }

    /// The session as others see it. `notified` and `present` are the registry's to say: [`super::Registry::is_notified`] and
    /// [`super::Registry::is_present`].
    pub fn view(&self, pod: &PodName, notified: bool, present: bool) -> SessionView {
        let identity = self.lock();
        SessionView {
            id: identity.id,
            user: identity.user.clone(),
            login_time: self.login_time,
            last_activity: self.last_activity(),
            pod: pod.clone(),
            event_streams: self.connections.open(PresenceKind::EventStream),
            websockets: self.connections.open(PresenceKind::WebSocket),
            active_tasks: self.connections.open(PresenceKind::Task),
            in_flight_requests: self.connections.open(PresenceKind::Request),
            notified,
            present: Some(present),
        }
    }

    /// It was active at another pod.
    pub fn record_activity(&self, at: Timestamp) {
        self.last_activity.fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    pub(super) fn touch(&self, now: Timestamp) {
        self.record_activity(now);
        self.mark_cookie_returned();
    }

    /// Its cookie came back, here or at another pod.
    pub fn mark_cookie_returned(&self) {
        self.confirmed.store(true, Ordering::Relaxed);
    }

    /// Whether its cookie came back at least once, as was said by [`touch`](super::Registry::touch) or [`confirm`](Self::confirm).
    pub(super) fn is_confirmed(&self) -> bool {
        self.confirmed.load(Ordering::Relaxed)
    }

    /// Whether its time is over: nothing open, and idle for too long or never come back. Whom a countdown waits for
    /// (since `countdown`) is left to it.
    pub(super) fn is_expired(&self, limits: &Limits, now: Timestamp, countdown: Option<Timestamp>) -> bool {
        if self.connections.any_open() || (countdown.is_some() && self.attendance(limits, now, countdown).present) {
            return false;
        }
        let last = self.last_activity().max(self.connections.last_closed());
        let ttl = if self.is_confirmed() { limits.session_ttl } else { limits.session_ttl.min(UNCONFIRMED_TTL) };
        now >= last.plus(ttl)
    }

    pub(super) fn attendance(&self, limits: &Limits, now: Timestamp, countdown: Option<Timestamp>) -> Attendance {
        let seen = Seen { last_activity: self.last_activity(), cookie_came_back: self.cookie_came_back() };
        self.connections.attendance(seen, limits, Times { now, countdown })
    }

    /// Marks it as told; `true` the first time for this notice.
    pub(super) fn mark_notified(&self, id: NoticeId) -> bool {
        self.told.swap(id.0.get(), Ordering::AcqRel) != id.0.get()
    }

    pub(super) fn notified(&self) -> u64 {
        self.told.load(Ordering::Acquire)
    }

    /// Marks it as standing in the queue of changes; `false` where it stood there already.
    pub(super) fn queue(&self, reader: Reader) -> bool {
        let queued = &self.queued[reader as usize];
        !queued.load(Ordering::Relaxed) && !queued.swap(true, Ordering::AcqRel)
    }

    pub(super) fn unqueue(&self, reader: Reader) {
        self.queued[reader as usize].store(false, Ordering::Release);
    }

    /// The identity is valid after any panic: every change of it is a plain assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
