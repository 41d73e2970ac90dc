//! The sessions that this pod knows: those it holds, in the registry, and where a store is shared those of other pods.
//!
//! The rest of the crate asks here and does not know whether sessions are shared: [`Sessions::find`], [`Sessions::touch`],
//! [`Sessions::sign_in`], [`Sessions::log_out`], [`Sessions::end_all`], [`Sessions::flush`].

use std::sync::Arc;

use session_domain::registry::{LiveSession, Registry};
use session_domain::shared::Purpose;
use session_domain::{Outcome, SessionId, Timestamp, UserName};

use crate::clock::Clock;
use crate::sharing::{Guest, Sharing};
use crate::streams::{CloseReason, Streams};

/// The sessions that this pod holds.
pub(crate) type SessionRegistry = Registry<Streams>;

/// A session that this pod holds.
pub(crate) type Live = Arc<LiveSession<Streams>>;

/// A session that a request belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    /// This pod holds it.
    Own(Live),
    /// Another pod owns it; it is served here.
    Guest(Arc<Guest>),
}

impl Held {
    pub(crate) fn id(&self) -> SessionId {
        match self {
            Self::Own(live) => live.id(),
            Self::Guest(guest) => guest.id(),
        }
    }

    pub(crate) fn user(&self) -> UserName {
        match self {
            Self::Own(live) => live.user(),
            Self::Guest(guest) => guest.user().clone(),
        }
    }

    pub(crate) fn login_time(&self) -> Timestamp {
        match self {
            Self::Own(live) => live.login_time(),
            Self::Guest(guest) => guest.login_time(),
        }
    }

    pub(crate) fn last_activity(&self) -> Timestamp {
        match self {
            Self::Own(live) => live.last_activity(),
            Self::Guest(guest) => guest.last_activity(),
        }
    }

    /// The way to its event streams here.
    pub(crate) fn streams(&self) -> &Streams {
        match self {
            Self::Own(live) => live.attachment(),
            Self::Guest(guest) => guest.streams(),
        }
    }
}

/// What became of a search for a session.
#[derive(Debug)]
pub(crate) enum Finding {
    /// It is served here.
    Found(Held),
    /// There is no such session.
    Nowhere,
    /// A login has replaced the id a short while ago: the session goes on under another one, which is not told.
    Replaced,
    /// It cannot be looked up now. It may well be there.
    Unknown,
    /// Its owner is gone, and maintenance keeps every pod from adopting it.
    Maintenance,
}

/// What became of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// The session has its new id and its name.
    Done,
    /// The session has ended meanwhile.
    Ended,
    /// Nothing was done: the store cannot be written now.
    Unavailable,
}

/// Why a session ends other than by a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Present at the deadline: force-closed, and deleted from the store.
    Forced,
    /// Present at the deadline: released to other pods. Forced where the store does not acknowledge that.
    Released,
    /// Not present when the pod goes: released to other pods. Expired where the store does not acknowledge that.
    Vacated,
    /// Idle for too long.
    Expired,
}

impl Ending {
    /// How a session ends whose entry the store has acknowledged, and what its streams are told.
    pub(crate) const fn acknowledged(self) -> (Outcome, CloseReason) {
        match self {
            Self::Forced => (Outcome::Forced, CloseReason::Forced),
            Self::Released | Self::Vacated => (Outcome::Moved, CloseReason::Moved),
            Self::Expired => (Outcome::Expired, CloseReason::Expired),
        }
    }

    /// The same where the store has not, or there is none.
    pub(crate) const fn unacknowledged(self) -> (Outcome, CloseReason) {
        match self {
            Self::Forced | Self::Released => (Outcome::Forced, CloseReason::Forced),
            Self::Vacated | Self::Expired => (Outcome::Expired, CloseReason::Expired),
        }
    }
}

/// How many sessions ended, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) forced: u64,
    pub(crate) expired: u64,
    pub(crate) moved: u64,
    pub(crate) logged_out: u64,
}

impl Ended {
    pub(crate) const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Forced => self.forced += 1,
            Outcome::Expired => self.expired += 1,
            Outcome::Moved => self.moved += 1,
            Outcome::Logout | Outcome::AutoLogout => self.logged_out += 1,
        }
    }
}

/// The sessions that this pod knows.
#[derive(Clone)]
pub(crate) struct Sessions {
    registry: Arc<SessionRegistry>,
    sharing: Option<Arc<Sharing>>,
    clock: Clock,
}

impl Sessions {
    pub(crate) const fn new(registry: Arc<SessionRegistry>, sharing: Option<Arc<Sharing>>, clock: Clock) -> Self {
        Self { registry, sharing, clock }
    }

    /// This pod's side of the shared store, where there is one.
    pub(crate) const fn sharing(&self) -> Option<&Arc<Sharing>> {
        self.sharing.as_ref()
    }

    /// Finds a session, wherever it lives.
    pub(crate) async fn find(&self, id: SessionId, purpose: Purpose) -> Finding {
        if let Some(live) = self.registry.find(id, self.clock.now()) {
            return Finding::Found(Held::Own(live));
        }
        if self.registry.is_replaced(id, self.clock.now()) {
            return Finding::Replaced;
        }
        match &self.sharing {
            Some(sharing) => sharing.find(id, purpose).await,
            None => Finding::Nowhere,
        }
    }

    /// The session with this id, where this pod holds it.
    pub(crate) fn find_own(&self, id: SessionId) -> Option<Held> {
        self.registry.find(id, self.clock.now()).map(Held::Own)
    }

    /// Whether a login has replaced this id a short while ago, at whatever pod.
    pub(crate) async fn is_replaced(&self, id: SessionId) -> bool {
        if self.registry.is_replaced(id, self.clock.now()) {
            return true;
        }
        match &self.sharing {
            Some(sharing) => sharing.is_replaced(id).await,
            None => false,
        }
    }

    /// Records a request of the session, which came in at `now`.
    pub(crate) fn touch(&self, session: &Held, now: Timestamp) {
        match (session, &self.sharing) {
            (Held::Own(live), _) => self.registry.touch(live, now),
            (Held::Guest(guest), Some(sharing)) => sharing.touch_guest(guest, now),
            (Held::Guest(_), None) => {}
        }
    }

    /// Names the session's user, and gives the session another id.
    pub(crate) async fn sign_in(&self, session: &Held, id: SessionId, user: &UserName) -> SignIn {
        match (session, &self.sharing) {
            (_, Some(sharing)) => sharing.sign_in(session.clone(), id, user.clone()).await,
            (Held::Own(live), None) if sign_in(&self.registry, live, id, user.clone(), self.clock.now()) => {
                SignIn::Done
            }
            (Held::Own(_) | Held::Guest(_), None) => SignIn::Ended,
        }
    }

    /// Ends a session because its user logs out.
    pub(crate) async fn log_out(&self, session: &Held, automatic: bool) {
        match (session, &self.sharing) {
            (_, Some(sharing)) => sharing.log_out(session.clone(), automatic).await,
            (Held::Own(live), None) => _ = log_out(&self.registry, live, automatic),
            (Held::Guest(_), None) => {}
        }
    }

    /// The same for a session that this pod does not hold. It is never adopted for that: its owner ends it.
    pub(crate) async fn log_out_by_id(&self, id: SessionId, automatic: bool) {
        match (self.find_own(id), &self.sharing) {
            (Some(session), _) => self.log_out(&session, automatic).await,
            (None, Some(sharing)) => sharing.log_out_by_id(id, automatic).await,
            (None, None) => {}
        }
    }

    /// Ends these sessions, but for those that live on another pod by now, and those for which `still` does not hold any more
    /// once no other pod can have them.
    pub(crate) async fn end_all(&self, sessions: Vec<Live>, ending: Ending, still: impl Fn(&Live) -> bool) -> Ended {
        if let Some(sharing) = &self.sharing {
            return sharing.end_all(sessions, ending, still).await;
        }
        let mut ended = Ended::default();
        let (outcome, close) = ending.unacknowledged();
        for session in sessions.iter().filter(|session| still(session)) {
            if end(&self.registry, session, outcome, close) {
                ended.count(outcome);
            }
        }
        ended
    }

    /// Releases every session. Where none is admitted any more none remains.
    pub(crate) async fn release_remaining(&self) -> Ended {
        let mut released = self.end_all(self.registry.all_sessions(), Ending::Vacated, |_| true).await;
        while self.registry.has_unreleased_sessions() {
            // Between its admission and its place in the registry a session is for a moment counted and not to be found.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            released.moved += self.end_all(self.registry.all_sessions(), Ending::Vacated, |_| true).await.moved;
        }
        released
    }

    /// Ends an expired session, unless it was active at another pod.
    pub(crate) async fn expire(&self, expired: Vec<Live>) -> u64 {
        // They may have been active as guests since.
        self.refresh(&expired).await;
        let still = |session: &Live| self.registry.is_expired(session, self.clock.now());
        self.end_all(expired, Ending::Expired, still).await.expired
    }

    /// Learns which of these sessions other pods have adopted, which have been logged out there, and how active they were.
    pub(crate) async fn refresh(&self, sessions: &[Live]) {
        if let Some(sharing) = &self.sharing {
            sharing.refresh(sessions).await;
        }
    }

    /// Waits until what was changed before is acknowledged by the store, as long as it takes writes.
    pub(crate) async fn flush(&self) {
        if let Some(sharing) = &self.sharing {
            sharing.flush().await;
        }
    }
}

/// Ends a session of this pod because its user logs out. `None` where it had ended already.
pub(crate) fn log_out(registry: &SessionRegistry, session: &Live, automatic: bool) -> Option<Outcome> {
    let outcome = registry.log_out(session, automatic)?;
    session.attachment().close_all(CloseReason::Logout);
    Some(outcome)
}

/// Ends a session of this pod. `false` where it had ended already.
pub(crate) fn end(registry: &SessionRegistry, session: &Live, outcome: Outcome, close: CloseReason) -> bool {
    let ended = registry.end(session, outcome);
    if ended {
        session.attachment().close_all(close);
    }
    ended
}

/// Names the user of a session of this pod, which gets another id. `false` where it has ended.
pub(crate) fn sign_in(
    registry: &SessionRegistry,
    session: &Live,
    id: SessionId,
    user: UserName,
    now: Timestamp,
) -> bool {
    let renamed = registry.rename(session, id, user, now);
    if renamed {
        session.attachment().logged_in();
    }
    renamed
}
