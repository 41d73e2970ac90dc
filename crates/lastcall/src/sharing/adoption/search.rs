//! One search for a session in the store.

use std::sync::Arc;
use std::time::Duration;

use session_domain::SessionId;
use session_domain::lifecycle::Reason;
use session_domain::registry::AdoptionSlot;
use session_domain::shared::{Adopts, Claim, Owner, Purpose, SharedSession, claim};

use super::super::Sharing;
use super::MAX_ATTEMPTS;
use crate::event_streams::{CloseReason, EventStreams};
use crate::sessions::guest::Guest;
use crate::sessions::live::LiveSession;
use crate::sessions::outcome::SessionLookup;
use crate::sessions::served::ServedSession;
use crate::store::{Adoption, Message, ReadOutcome, SessionEntry};

/// A requested stream opens within this time, or not at all.
const STREAM_OPEN_TIMEOUT: Duration = Duration::from_secs(2);

/// The result of a search.
pub(super) enum Search {
    /// The lookup is done.
    Done(SessionLookup),
    /// The session's owner is gone and its user logs out: this pod ends it.
    Orphan(SharedSession),
    /// This pod adopts or ends it once the caller holds the session's lock.
    NeedsLock,
}

/// Whether the caller holds the session's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockState {
    Held,
    NotHeld,
}

impl Sharing {
    /// Searches for a session; `None` where the store does not answer.
    pub(super) async fn search(self: &Arc<Self>, id: SessionId, purpose: Purpose, lock: LockState) -> Option<Search> {
        let mut last_seen = None;
        for _ in 0..MAX_ATTEMPTS {
            let now = self.clock.now();
            if let Some(live) = self.registry.find(id, now) {
                return Some(Search::Done(SessionLookup::Found(ServedSession::Own(live))));
            }
            if self.registry.has_tombstone(id) {
                return Some(Search::Done(SessionLookup::NotFound));
            }
            let session = match self.health.record_read(self.store.read(id).await, now)? {
                ReadOutcome::Found(entry) if entry.is_replaced => return Some(Search::Done(SessionLookup::Replaced)),
                // Its user has logged out, or goes on under another id, and its owner does not know it yet.
                ReadOutcome::Found(entry) if entry.request.is_some() => {
                    return Some(Search::Done(SessionLookup::NotFound));
                }
                ReadOutcome::Found(entry) => entry.session,
                ReadOutcome::Absent(contents) if self.health.believes_absence(contents, self.clock.now()) => {
                    return Some(Search::Done(SessionLookup::NotFound));
                }
                ReadOutcome::Absent(_) => return Some(Search::Done(SessionLookup::Unavailable)),
                ReadOutcome::Replaced => return Some(Search::Done(SessionLookup::Replaced)),
            };
            let is_own = session.pod == self.config.pod;
            let owner = if is_own { Owner::Gone } else { self.owner(&session.pod).await? };
            let unless_pinned = match self.decide(&session, owner, purpose) {
                Claim::Guest => return Some(self.as_guest(session, owner, purpose)),
                Claim::Maintenance => return Some(Search::Done(SessionLookup::Maintenance)),
                Claim::End | Claim::Adopt | Claim::AdoptUnlessPinned if lock == LockState::NotHeld => {
                    return Some(Search::NeedsLock);
                }
                Claim::End => return Some(Search::Orphan(session)),
                Claim::Adopt => false,
                Claim::AdoptUnlessPinned => true,
            };
            // Reserved before the store is asked: what is adopted there is registered here, though a drain may begin meanwhile.
            let Ok(slot) = self.registry.reserve_adoption() else {
                return Some(self.as_guest(session, owner, purpose));
            };
            let adoption = Adoption {
                id,
                from: session.pod.clone(),
                to: self.config.pod.clone(),
                unless_pinned,
                pinned: purpose == Purpose::Stream,
            };
            let epoch = self.health.epoch();
            match self.health.record_write(self.store.adopt(&adoption).await, self.clock.now()) {
                Some(Some(adopted)) => {
                    let live = self.register(slot, &adopted, &adoption).await;
                    // The store may have lost it since.
                    if self.health.was_lost_since(epoch) {
                        self.rewrite_lost(&live);
                    }
                    return Some(Search::Done(SessionLookup::Found(ServedSession::Own(live))));
                }
                Some(None) => last_seen = Some((session, owner)),
                // The store can be read, and was: the user is served.
                None if self.health().is_readable() => return Some(self.as_guest(session, owner, purpose)),
                None => return None,
            }
        }
        Some(match last_seen {
            Some((session, owner)) => self.as_guest(session, owner, purpose),
            None => Search::Done(SessionLookup::NotFound),
        })
    }

    /// Decides what this pod does with the session. Nothing is adopted that could not be written.
    fn decide(&self, session: &SharedSession, owner: Owner, purpose: Purpose) -> Claim {
        // A store that has just returned may be behind: an owner that is alive knows better.
        let is_settling = matches!(owner, Owner::Alive(_)) && !self.health.believes_leases(self.clock.now());
        let adopts = match self.adopts() {
            Adopts::Yes if is_settling || !self.health().is_writable() => Adopts::No,
            adopts => adopts,
        };
        claim(&self.config.pod, adopts, session, owner, purpose)
    }

    /// Registers a session that the store has given to this pod.
    async fn register(
        &self,
        slot: AdoptionSlot<'_, EventStreams>,
        adopted: &SessionEntry,
        adoption: &Adoption,
    ) -> LiveSession {
        let session = &adopted.session;
        // The previous owner gets its message before the session is registered here: it would take an entry that is deleted here for lost
        // data. Where this pod was the owner already, the answer to its adoption was lost, and with it the message.
        let is_own = adoption.from == self.config.pod;
        let previous = if is_own { adopted.previous_owner.as_ref() } else { Some(&adoption.from) };
        if let Some(previous) = previous {
            self.send(previous, &Message::Adopted(session.id)).await;
        }
        let (lifecycle, now) = (*self.lifecycle.borrow(), self.clock.now());
        // A maintenance is the same notice on every pod.
        let is_same = |reason| reason == Reason::Maintenance && session.notified == Some(reason);
        let notified = lifecycle.notice().filter(|notice| is_same(notice.reason)).map(|notice| notice.id);
        let streams = if adoption.pinned {
            EventStreams::expected(now.plus(STREAM_OPEN_TIMEOUT))
        } else {
            EventStreams::default()
        };
        let live = slot.adopt(session, notified, streams, now);
        adopted.tasks.iter().for_each(|task| self.mirror(session.id, task));
        self.guests.close(session.id, CloseReason::Moved);
        live
    }

    /// Serves the session as a guest. All streams of one session belong to one guest, so that their number is bounded here as
    /// it is at the owner.
    fn as_guest(&self, session: SharedSession, owner: Owner, purpose: Purpose) -> Search {
        let known = self.guests.find_streaming(session.id, &session.pod);
        let guest = match known.filter(|guest| purpose == Purpose::Stream && !guest.streams().is_closed()) {
            Some(guest) => guest,
            None => Arc::new(Guest::new(session, owner, self.clock.now())),
        };
        Search::Done(SessionLookup::Found(ServedSession::Guest(guest)))
    }
}
