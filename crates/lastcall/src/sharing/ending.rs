//! How the owner of a session ends or renames it: it claims the entry in the store first, and learns in the same step
//! whether another pod has the session by then, or its user has logged out there. So a session ends on one pod only, and
//! what the store has not acknowledged is not called so.

use std::sync::Arc;
use std::time::Duration;

use session_domain::registry::REPLACED_TTL;
use session_domain::shared::{Purpose, SharedSession};
use session_domain::{SessionId, UserName};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::writer::Ask;
use super::{Sharing, reconcile, to_the_end};
use crate::sessions::{self, Ended, Ending, Finding, Held, Live, SignIn};
use crate::store::{Adoption, OwnerRequest, Write, Written};
use crate::streams::CloseReason;

/// A part of the sessions that end together is claimed within this time: two answers of a store that is just not away.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(3);

/// All of them are claimed within this time. Where the store is slow, it comes on top of the drain's own times.
const CLAIM_ALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Other pods may take a session while this one decides: it is looked for anew, so often.
const MAX_ATTEMPTS: usize = 4;

/// Sessions that are claimed with one question.
const BATCH: usize = 2_000;

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimFor {
    /// To end the session: its entry goes.
    End,
    /// To give the session another id: its entry goes, and all pods know for a while that the id was replaced.
    Rename,
    /// To release the session: its entry stays, for any pod to adopt.
    Release,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// The session is this pod's alone, and the store has acknowledged it.
    Ours,
    /// Its user has logged out at another pod.
    LoggedOut { automatic: bool },
    /// It lives on another pod, or did.
    Moved,
    /// The store has not answered, or takes no writes.
    Unacknowledged,
}

impl Sharing {
    /// Ends a session because its user logs out, wherever it lives by now.
    pub(crate) async fn log_out(self: &Arc<Self>, session: Held, automatic: bool) {
        let sharing = Arc::clone(self);
        to_the_end(async move {
            match session {
                Held::Own(live) => sharing.log_out_own(live, automatic).await,
                Held::Guest(guest) => sharing.ask_to_end(&guest, automatic).await,
            }
        })
        .await;
    }

    /// The same for a session that this pod does not hold.
    pub(crate) async fn log_out_by_id(self: &Arc<Self>, id: SessionId, automatic: bool) {
        let sharing = Arc::clone(self);
        to_the_end(async move { sharing.log_out_elsewhere(id, automatic).await }).await;
    }

    async fn log_out_own(self: &Arc<Self>, live: Live, automatic: bool) {
        let id = live.id();
        if !self.try_log_out(&live, automatic).await {
            self.log_out_elsewhere(id, automatic).await;
        }
    }

    /// Ends a session that this pod holds; `false` where it lives on another pod by now.
    async fn try_log_out(&self, live: &Live, automatic: bool) -> bool {
        match self.claim_one(live, ClaimFor::End).await {
            Claimed::Ours | Claimed::Unacknowledged => {
                sessions::log_out(&self.registry, live, automatic);
                self.flush().await;
            }
            Claimed::LoggedOut { automatic } => _ = sessions::log_out(&self.registry, live, automatic),
            Claimed::Moved => {
                self.let_move(live);
                return false;
            }
        }
        true
    }

    async fn log_out_elsewhere(self: &Arc<Self>, id: SessionId, automatic: bool) {
        for _ in 0..MAX_ATTEMPTS {
            match self.search(id, Purpose::Logout).await {
                Finding::Found(Held::Guest(guest)) => return self.ask_to_end(&guest, automatic).await,
                Finding::Found(Held::Own(live)) => {
                    if self.try_log_out(&live, automatic).await {
                        return;
                    }
                }
                // What goes on under another id is not ended by the old one.
                Finding::Nowhere | Finding::Replaced => return,
                Finding::Unknown | Finding::Maintenance => break,
            }
        }
        self.end_later(id, automatic);
        self.close_guests(id, CloseReason::Logout);
    }

    /// Ends a session whose owner is gone. `false` where another pod was faster.
    pub(super) async fn end_orphan(&self, session: SharedSession) -> bool {
        let (id, by) = (session.id, self.config.pod.clone());
        let adoption = Adoption { id, from: session.pod, by, unless_streaming: false, streaming: false };
        let adopted = self.health.written(self.store.adopt(&adoption).await, self.clock.now());
        let Some(Some(_)) = adopted else { return false };
        // From here on it is this pod's, whatever becomes of the entry.
        self.registry.count_logout_for_gone_owner();
        self.registry.add_tombstone(id);
        match self.write_one(Write::Delete { id, pod: self.config.pod.clone(), replaced_for: None }).await {
            Some(_) => self.registry.remove_tombstone(id),
            None => self.end_later(id, false),
        }
        self.close_guests(id, CloseReason::Logout);
        true
    }

    /// Ends a session that is this pod's by name and not held any more: it was released, and its user has logged out before
    /// another pod adopted it.
    pub(super) async fn end_released(&self, id: SessionId) {
        let claim = Write::ClaimEnd { id, pod: self.config.pod.clone(), replaced_for: None };
        if matches!(self.write_one(claim).await, Some(Written::Asked(OwnerRequest::End { .. }))) {
            self.registry.count_logout_for_gone_owner();
        }
    }

    /// Names a session's user, wherever it lives by now.
    pub(crate) async fn sign_in(self: &Arc<Self>, session: Held, id: SessionId, user: UserName) -> SignIn {
        let sharing = Arc::clone(self);
        to_the_end(async move { sharing.sign_in_anywhere(session, id, &user).await })
            .await
            .unwrap_or(SignIn::Unavailable)
    }

    async fn sign_in_anywhere(self: &Arc<Self>, mut session: Held, id: SessionId, user: &UserName) -> SignIn {
        for _ in 0..MAX_ATTEMPTS {
            let live = match &session {
                Held::Guest(guest) => return self.rename_guest(guest, id, user).await,
                Held::Own(live) => Arc::clone(live),
            };
            match self.claim_one(&live, ClaimFor::Rename).await {
                Claimed::Ours | Claimed::Unacknowledged => {
                    let renamed = sessions::sign_in(&self.registry, &live, id, user.clone(), self.clock.now());
                    return if renamed { SignIn::Done } else { SignIn::Ended };
                }
                Claimed::LoggedOut { automatic } => {
                    sessions::log_out(&self.registry, &live, automatic);
                    return SignIn::Ended;
                }
                Claimed::Moved => self.let_move(&live),
            }
            session = match self.search(live.id(), Purpose::Request).await {
                Finding::Found(found) => found,
                Finding::Nowhere | Finding::Replaced => return SignIn::Ended,
                Finding::Unknown | Finding::Maintenance => return SignIn::Unavailable,
            };
        }
        SignIn::Unavailable
    }

    /// See [`crate::sessions::Sessions::end_all`].
    pub(crate) async fn end_all(&self, sessions: Vec<Live>, ending: Ending, still: impl Fn(&Live) -> bool) -> Ended {
        let purpose = match ending {
            Ending::Forced | Ending::Expired => ClaimFor::End,
            Ending::Released | Ending::Vacated => ClaimFor::Release,
        };
        let until = Instant::now() + CLAIM_ALL_TIMEOUT;
        let mut ended = Ended::default();
        // A session ends here before the next part is claimed, so that no request finds it without its entry.
        for part in sessions.chunks(BATCH) {
            let limit = CLAIM_TIMEOUT.min(until - Instant::now());
            for (session, claimed) in part.iter().zip(self.claim(part.to_vec(), purpose, limit).await) {
                let (outcome, close) = match claimed {
                    Claimed::Moved => {
                        self.let_move(session);
                        continue;
                    }
                    Claimed::LoggedOut { automatic } => {
                        if let Some(outcome) = sessions::log_out(&self.registry, session, automatic) {
                            ended.count(outcome);
                        }
                        continue;
                    }
                    Claimed::Ours | Claimed::Unacknowledged if !still(session) => {
                        self.write_anew(session);
                        continue;
                    }
                    Claimed::Ours => ending.acknowledged(),
                    Claimed::Unacknowledged => ending.unacknowledged(),
                };
                if sessions::end(&self.registry, session, outcome, close) {
                    ended.count(outcome);
                }
            }
        }
        ended
    }

    /// Compares these sessions with the store.
    pub(crate) async fn refresh(self: &Arc<Self>, sessions: &[Live]) {
        if self.health().is_readable() && !sessions.is_empty() {
            let _ = timeout(CLAIM_ALL_TIMEOUT, reconcile::look_again(self, super::ids(sessions))).await;
        }
    }

    async fn claim_one(&self, session: &Live, purpose: ClaimFor) -> Claimed {
        let claimed = self.claim(vec![Arc::clone(session)], purpose, super::ACKNOWLEDGE_TIMEOUT).await;
        claimed.first().copied().unwrap_or(Claimed::Unacknowledged)
    }

    /// Claims sessions of this pod; one result for each. Done by the writer, so that nothing that it wrote before comes after.
    async fn claim(&self, sessions: Vec<Live>, purpose: ClaimFor, limit: Duration) -> Vec<Claimed> {
        let unacknowledged = vec![Claimed::Unacknowledged; sessions.len()];
        let (done, claimed) = oneshot::channel();
        if !self.health().is_writable() || self.writer.send(Ask::Claim(sessions, purpose, done)).is_err() {
            return unacknowledged;
        }
        match timeout(limit, self.while_writable(claimed)).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) | Err(_) => unacknowledged,
        }
    }

    /// What [`Sharing::claim`] asks the writer for.
    pub(super) async fn claim_now(&self, sessions: &[Live], purpose: ClaimFor) -> Vec<Claimed> {
        if sessions.is_empty() {
            return Vec::new();
        }
        let results = self.write_claims(sessions, purpose, false).await;
        let is_missing = |index: usize| results.get(index) == Some(&Written::Missing);
        // What should be there and is not was ended elsewhere, if this pod was told so; else the store has lost it.
        let unread = if (0..sessions.len()).any(is_missing) { self.unread().await } else { None }.unwrap_or_default();
        let mut claimed = Vec::with_capacity(sessions.len());
        let settled = self.health.believes_leases(self.clock.now());
        let mut lost = Vec::new();
        for (index, session) in sessions.iter().enumerate() {
            claimed.push(match results.get(index) {
                Some(Written::Done) => Claimed::Ours,
                Some(Written::Elsewhere | Written::Asked(OwnerRequest::Rename(_))) => Claimed::Moved,
                Some(Written::Asked(OwnerRequest::End { automatic })) => Claimed::LoggedOut { automatic: *automatic },
                Some(Written::Missing) => match unread.get(&session.id()) {
                    Some(reconcile::Told::Adopted) if session.is_stored() => Claimed::Moved,
                    // Another pod has adopted it meanwhile, and has done what was asked.
                    Some(reconcile::Told::Asked(OwnerRequest::End { .. })) if settled && session.is_stored() => {
                        Claimed::Moved
                    }
                    Some(reconcile::Told::Asked(OwnerRequest::End { automatic })) => {
                        Claimed::LoggedOut { automatic: *automatic }
                    }
                    Some(_) | None if purpose != ClaimFor::Release => Claimed::Ours,
                    Some(_) | None => {
                        lost.push((index, Arc::clone(session)));
                        Claimed::Unacknowledged
                    }
                },
                Some(Written::Later | Written::Refused(_)) | None => Claimed::Unacknowledged,
            });
        }
        if !lost.is_empty() {
            let sessions: Vec<_> = lost.iter().map(|(_, session)| Arc::clone(session)).collect();
            let results = self.write_claims(&sessions, purpose, true).await;
            for ((index, _), result) in lost.into_iter().zip(results) {
                if result == Written::Done {
                    claimed[index] = Claimed::Ours;
                }
            }
        }
        claimed
    }

    async fn write_claims(&self, sessions: &[Live], purpose: ClaimFor, is_lost: bool) -> Vec<Written> {
        let now = self.clock.now();
        let end = |session: &Live, replaced_for| Write::ClaimEnd {
            id: session.id(),
            pod: self.config.pod.clone(),
            replaced_for,
        };
        let write = |session: &Live| match purpose {
            ClaimFor::End => end(session, None),
            ClaimFor::Rename => end(session, Some(REPLACED_TTL)),
            ClaimFor::Release => {
                let mut shared = self.shared(session);
                shared.streaming = false;
                let idle = now.since(shared.last_activity);
                Write::Release { session: shared, idle, new: is_lost || !session.is_stored() }
            }
        };
        let writes = sessions.iter().map(write).collect();
        self.health.written(self.store.write(writes).await, now).unwrap_or_default()
    }
}
