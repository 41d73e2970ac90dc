//! The sessions that this pod knows: those it owns, in the registry, and with a shared store those of other pods.
//!
//! The rest of the crate calls [`Sessions`] and does not know whether sessions are shared.

pub(crate) mod guest;
pub(crate) mod live;
pub(crate) mod outcome;
pub(crate) mod served;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use session_domain::shared::Purpose;
use session_domain::{SessionId, Timestamp, UserName};

pub(crate) use live::{LiveSession, SessionRegistry};
pub(crate) use outcome::{EndCounts, EndReason, SessionLookup, SignInOutcome};
pub(crate) use served::ServedSession;

use crate::clock::Clock;
use crate::sharing::Sharing;

/// How often the pod looks for a session that was admitted and is not in the registry yet.
const ADMITTED_POLL_INTERVAL: Duration = Duration::from_millis(5);

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

    /// Finds a session, on this pod or on another.
    pub(crate) async fn find(&self, id: SessionId, purpose: Purpose) -> SessionLookup {
        if let Some(live) = self.registry.find(id, self.clock.now()) {
            return SessionLookup::Found(ServedSession::Own(live));
        }
        if self.registry.is_replaced(id, self.clock.now()) {
            return SessionLookup::Replaced;
        }
        match &self.sharing {
            Some(sharing) => sharing.find(id, purpose).await,
            None => SessionLookup::NotFound,
        }
    }

    /// The session with this id, where this pod owns it.
    pub(crate) fn find_own(&self, id: SessionId) -> Option<ServedSession> {
        self.registry.find(id, self.clock.now()).map(ServedSession::Own)
    }

    /// Whether a login on any pod has replaced this id within the last minute.
    pub(crate) async fn is_replaced(&self, id: SessionId) -> bool {
        if self.registry.is_replaced(id, self.clock.now()) {
            return true;
        }
        match &self.sharing {
            Some(sharing) => sharing.is_replaced(id).await,
            None => false,
        }
    }

    /// Records a request of the session that came in at `now`.
    pub(crate) fn touch(&self, session: &ServedSession, now: Timestamp) {
        match (session, &self.sharing) {
            (ServedSession::Own(live), _) => self.registry.touch(live, now),
            (ServedSession::Guest(guest), Some(sharing)) => sharing.touch_guest(guest, now),
            (ServedSession::Guest(_), None) => {}
        }
    }

    /// Names the session's user, and gives the session another id.
    pub(crate) async fn sign_in(&self, session: &ServedSession, id: SessionId, user: &UserName) -> SignInOutcome {
        match (session, &self.sharing) {
            (_, Some(sharing)) => sharing.sign_in(session.clone(), id, user.clone()).await,
            (ServedSession::Own(live), None)
                if live::sign_in(&self.registry, live, id, user.clone(), self.clock.now()) =>
            {
                SignInOutcome::Done
            }
            (ServedSession::Own(_) | ServedSession::Guest(_), None) => SignInOutcome::Ended,
        }
    }

    /// Ends a session because its user logs out.
    pub(crate) async fn log_out(&self, session: &ServedSession, automatic: bool) {
        match (session, &self.sharing) {
            (_, Some(sharing)) => sharing.log_out(session.clone(), automatic).await,
            (ServedSession::Own(live), None) => _ = live::log_out(&self.registry, live, automatic),
            (ServedSession::Guest(_), None) => {}
        }
    }

    /// Ends a session that may live on another pod. The session is not adopted for that: its owner ends it.
    pub(crate) async fn log_out_by_id(&self, id: SessionId, automatic: bool) {
        match (self.find_own(id), &self.sharing) {
            (Some(session), _) => self.log_out(&session, automatic).await,
            (None, Some(sharing)) => sharing.log_out_by_id(id, automatic).await,
            (None, None) => {}
        }
    }

    /// Ends these sessions. Skips those that live on another pod by now, and those for which `still_applies` is false once
    /// no other pod can adopt them.
    pub(crate) async fn end_all(
        &self,
        sessions: Vec<LiveSession>,
        reason: EndReason,
        still_applies: impl Fn(&LiveSession) -> bool,
    ) -> EndCounts {
        if let Some(sharing) = &self.sharing {
            return sharing.end_all(sessions, reason, still_applies).await;
        }
        let mut counts = EndCounts::default();
        let (outcome, close) = reason.unacknowledged();
        for session in sessions.iter().filter(|session| still_applies(session)) {
            if live::end(&self.registry, session, outcome, close) {
                counts.count(outcome);
            }
        }
        counts
    }

    /// Releases every session to other pods. Returns once no session remains, where admission is closed.
    pub(crate) async fn release_remaining(&self) {
        loop {
            self.end_all(self.registry.all_sessions(), EndReason::Absent, |_| true).await;
            if !self.registry.has_unreleased_sessions() {
                return;
            }
            // A session that has just been admitted counts before it is in the registry.
            tokio::time::sleep(ADMITTED_POLL_INTERVAL).await;
        }
    }

    /// Releases the sessions without protected work to other pods.
    pub(crate) async fn release_unprotected(&self) {
        let mut sessions = self.registry.all_sessions();
        sessions.retain(|session| !session.is_protected());
        self.end_all(sessions, EndReason::Absent, |session| !session.is_protected()).await;
    }

    /// Expires sessions that have expired their time to live, unless they were active on another pod. Returns how many
    /// expired.
    pub(crate) async fn expire(&self, expired: Vec<LiveSession>) -> u64 {
        self.refresh(&expired).await;
        let is_expired = |session: &LiveSession| self.registry.is_expired(session, self.clock.now());
        self.end_all(expired, EndReason::Expired, is_expired).await.expired
    }

    /// Learns from the store which of these sessions other pods have adopted or logged out, and when they were last active.
    pub(crate) async fn refresh(&self, sessions: &[LiveSession]) {
        if let Some(sharing) = &self.sharing {
            sharing.refresh(sessions).await;
        }
    }

    /// Waits until the store has acknowledged all earlier changes, as long as it takes writes.
    pub(crate) async fn flush(&self) {
        if let Some(sharing) = &self.sharing {
            sharing.flush().await;
        }
    }
}
