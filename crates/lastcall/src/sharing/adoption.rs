//! A request names a session that this pod does not hold.

use std::sync::Arc;
use std::time::Duration;

use session_domain::SessionId;
use session_domain::lifecycle::Reason;
use session_domain::registry::AdoptionSlot;
use session_domain::shared::{Adopts, Claim, Owner, Purpose, SharedSession, claim};
use tokio::time::timeout;

use super::{Guest, LOOKUP_TIMEOUT, Sharing, locked, to_the_end};
use crate::sessions::{Ending, Finding, Held};
use crate::store::{Adoption, Entry, Message, Reading};
use crate::streams::{CloseReason, Streams};

/// Other pods may take a session while this one decides: it is decided anew, so often.
const MAX_ATTEMPTS: usize = 4;

/// A stream that was asked for is open within this time, or will not be.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// What a look into the store came to.
enum Search {
    /// As for any request.
    Finding(Finding),
    /// Its owner is gone and its user logs out: it is this pod's to end.
    Orphan(SharedSession),
    /// It is this pod's to adopt or to end, in its turn.
    NeedsTurn,
}

/// Whether the caller holds the session's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Taken,
    NotTaken,
}

/// A session that a request looks for in its turn: what is read of it meanwhile may be older than its arrival.
struct Arriving<'a> {
    sharing: &'a Sharing,
    id: SessionId,
}

impl<'a> Arriving<'a> {
    fn new(sharing: &'a Sharing, id: SessionId) -> Self {
        locked(&sharing.arriving).insert(id);
        Self { sharing, id }
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        locked(&self.sharing.arriving).remove(&self.id);
    }
}

impl Sharing {
    /// Finds a session that this pod does not hold: adopts it, or gives it as a guest. Bounded by [`LOOKUP_TIMEOUT`].
    pub(crate) async fn find(self: &Arc<Self>, id: SessionId, purpose: Purpose) -> Finding {
        let sharing = Arc::clone(self);
        let searching = to_the_end(async move { sharing.search(id, purpose).await });
        match timeout(LOOKUP_TIMEOUT, searching).await {
            Ok(Some(finding)) => finding,
            Ok(None) | Err(_) => Finding::Unknown,
        }
    }

    /// Whether the store says that a login has replaced this id a short while ago. Where it does not answer, nothing is known.
    pub(crate) async fn is_replaced(&self, id: SessionId) -> bool {
        if !self.health().is_readable() {
            return false;
        }
        let read = timeout(LOOKUP_TIMEOUT, self.store.read(id)).await;
        match read.ok().and_then(|read| self.health.read(read, self.clock.now())) {
            Some(Reading::Replaced) => true,
            Some(Reading::Found(entry)) => entry.is_replaced,
            Some(Reading::Absent(_)) | None => false,
        }
    }

    /// First sights of one session take turns, so that a page's ten requests make one adoption. Guests need no turn. A session
    /// whose user logs out and whose owner is gone is ended here, in its turn, and found nowhere then.
    pub(super) async fn search(self: &Arc<Self>, id: SessionId, purpose: Purpose) -> Finding {
        let is_outlived = self.registry.get(id).is_some();
        if !is_outlived
            && self.health().is_readable()
            && let Some(Search::Finding(finding)) = self.look_for(id, purpose, Turn::NotTaken).await
        {
            return finding;
        }
        let Ok(_turn) = timeout(LOOKUP_TIMEOUT, self.turn(id).lock()).await else { return Finding::Unknown };
        let _arriving = Arriving::new(self, id);
        let expired = self.registry.get(id).filter(|session| self.registry.is_expired(session, self.clock.now()));
        if let Some(expired) = expired {
            let still = |session: &crate::sessions::Live| self.registry.is_expired(session, self.clock.now());
            self.end_all(vec![expired], Ending::Expired, still).await;
        }
        for _ in 0..MAX_ATTEMPTS {
            match if self.health().is_readable() { self.look_for(id, purpose, Turn::Taken).await } else { None } {
                Some(Search::Finding(finding)) => return finding,
                Some(Search::Orphan(session)) => {
                    if self.end_orphan(session).await {
                        return Finding::Nowhere;
                    }
                }
                Some(Search::NeedsTurn) => {}
                None => break,
            }
        }
        // A logout holds here at once, whatever the store says.
        if self.registry.has_tombstone(id) { Finding::Nowhere } else { Finding::Unknown }
    }

    /// `None` where the store does not answer.
    async fn look_for(self: &Arc<Self>, id: SessionId, purpose: Purpose, turn: Turn) -> Option<Search> {
        let mut last_seen = None;
        for _ in 0..MAX_ATTEMPTS {
            let now = self.clock.now();
            if let Some(live) = self.registry.find(id, now) {
                return Some(Search::Finding(Finding::Found(Held::Own(live))));
            }
            if self.registry.has_tombstone(id) {
                return Some(Search::Finding(Finding::Nowhere));
            }
            let entry = match self.health.read(self.store.read(id).await, now)? {
                Reading::Found(entry) => *entry,
                Reading::Absent(contents) if self.health.believes_absence(contents, self.clock.now()) => {
                    return Some(Search::Finding(Finding::Nowhere));
                }
                Reading::Absent(_) => return Some(Search::Finding(Finding::Unknown)),
                Reading::Replaced => return Some(Search::Finding(Finding::Replaced)),
            };
            if entry.is_replaced {
                return Some(Search::Finding(Finding::Replaced));
            }
            // Its user has logged out, or goes on under another id: its owner has only to be told.
            let Entry { session, request: None, .. } = entry else {
                return Some(Search::Finding(Finding::Nowhere));
            };
            let is_ours = session.pod == self.config.pod;
            let owner = if is_ours { Owner::Gone } else { self.owner(&session.pod).await? };
            let unless_streaming = match self.decide(&session, owner, purpose) {
                Claim::Guest => return Some(self.as_guest(session, owner, purpose)),
                Claim::Maintenance => return Some(Search::Finding(Finding::Maintenance)),
                Claim::End | Claim::Adopt | Claim::AdoptUnlessStreaming if turn == Turn::NotTaken => {
                    return Some(Search::NeedsTurn);
                }
                Claim::End => return Some(Search::Orphan(session)),
                Claim::Adopt => false,
                Claim::AdoptUnlessStreaming => true,
            };
            // Before the store is asked: what is adopted there is taken in here, though a drain may begin meanwhile.
            let Ok(place) = self.registry.reserve_adoption() else {
                return Some(self.as_guest(session, owner, purpose));
            };
            let adoption = Adoption {
                id,
                from: session.pod.clone(),
                by: self.config.pod.clone(),
                unless_streaming,
                streaming: purpose == Purpose::Stream,
            };
            match self.health.written(self.store.adopt(&adoption).await, self.clock.now()) {
                Some(Some(adopted)) => return Some(self.take_in(place, &adopted, &adoption).await),
                Some(None) => last_seen = Some((session, owner)),
                // It can be read, and was: its user is served.
                None if self.health().is_readable() => return Some(self.as_guest(session, owner, purpose)),
                None => return None,
            }
        }
        Some(
            last_seen
                .map_or(Search::Finding(Finding::Nowhere), |(session, owner)| self.as_guest(session, owner, purpose)),
        )
    }

    /// Nothing is adopted that could not be written.
    fn decide(&self, session: &SharedSession, owner: Owner, purpose: Purpose) -> Claim {
        // A store that has just come back may be behind: an owner that lives knows better.
        let settles = matches!(owner, Owner::Alive(_)) && !self.health.believes_leases(self.clock.now());
        let adopts = match self.adopts() {
            Adopts::Yes if settles || !self.health().is_writable() => Adopts::No,
            adopts => adopts,
        };
        claim(&self.config.pod, adopts, session, owner, purpose)
    }

    async fn take_in(&self, place: AdoptionSlot<'_, Streams>, adopted: &Entry, adoption: &Adoption) -> Search {
        let session = &adopted.session;
        // The previous owner is told before the session is registered here: it would take an entry that is deleted here for lost
        // data. Where it was ours already, the answer to our adoption was lost on the way, and with it the message.
        let is_ours = adoption.from == self.config.pod;
        let previous = if is_ours { adopted.previous_owner.as_ref() } else { Some(&adoption.from) };
        if let Some(previous) = previous {
            self.tell(previous, &Message::Adopted(session.id)).await;
        }
        let (lifecycle, now) = (*self.lifecycle.borrow(), self.clock.now());
        let is_same = |reason| reason == Reason::Maintenance && session.notified == Some(reason);
        let notified = lifecycle.notice().filter(|notice| is_same(notice.reason)).map(|notice| notice.id);
        let streams = if adoption.streaming { Streams::awaited(now.plus(OPENS_WITHIN)) } else { Streams::default() };
        let live = place.adopt(session, notified, streams, now);
        self.close_guests(session.id, CloseReason::Moved);
        Search::Finding(Finding::Found(Held::Own(live)))
    }

    /// The streams of one session hang on one guest, so that their number is bounded here as it is at the owner.
    fn as_guest(&self, session: SharedSession, owner: Owner, purpose: Purpose) -> Search {
        let known = locked(&self.guests).get(&session.id).and_then(|guests| {
            guests.iter().filter_map(std::sync::Weak::upgrade).find(|guest| *guest.owner() == session.pod)
        });
        let guest = match known.filter(|guest| purpose == Purpose::Stream && !guest.streams().is_closed()) {
            Some(guest) => guest,
            None => Arc::new(Guest::new(session, owner, self.clock.now())),
        };
        Search::Finding(Finding::Found(Held::Guest(guest)))
    }
}
