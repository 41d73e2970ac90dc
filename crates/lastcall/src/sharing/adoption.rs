//! Finds a session that a request names and that this pod does not own: the pod adopts it, or serves it as a guest.

mod locks;
mod search;

use std::sync::Arc;

use session_domain::SessionId;
use session_domain::shared::Purpose;
use tokio::time::timeout;

pub(super) use locks::AdoptionLocks;
use search::{LockState, Search};

use super::{LOOKUP_TIMEOUT, Sharing, run_to_completion};
use crate::sessions::live::LiveSession;
use crate::sessions::outcome::{EndReason, SessionLookup};
use crate::store::ReadOutcome;

/// How often a session is looked up again because another pod took it meanwhile.
const MAX_ATTEMPTS: usize = 4;

impl Sharing {
    /// Finds a session that this pod does not own. Bounded by [`LOOKUP_TIMEOUT`].
    pub(crate) async fn find(self: &Arc<Self>, id: SessionId, purpose: Purpose) -> SessionLookup {
        let sharing = Arc::clone(self);
        let lookup = run_to_completion(async move { sharing.lookup(id, purpose).await });
        match timeout(LOOKUP_TIMEOUT, lookup).await {
            Ok(Some(lookup)) => lookup,
            Ok(None) | Err(_) => SessionLookup::Unavailable,
        }
    }

    /// Whether the store says that a login has replaced this id within the last minute. `false` where it does not answer.
    pub(crate) async fn is_replaced(&self, id: SessionId) -> bool {
        if !self.health().is_readable() {
            return false;
        }
        let read = timeout(LOOKUP_TIMEOUT, self.store.read(id)).await;
        match read.ok().and_then(|read| self.health.record_read(read, self.clock.now())) {
            Some(ReadOutcome::Replaced) => true,
            Some(ReadOutcome::Found(entry)) => entry.is_replaced,
            Some(ReadOutcome::Absent(_)) | None => false,
        }
    }

    /// Looks a session up. Adopting takes the session's lock; serving a guest does not. A session whose user logs out and whose
    /// owner is gone ends here, and is not found then.
    pub(super) async fn lookup(self: &Arc<Self>, id: SessionId, purpose: Purpose) -> SessionLookup {
        let is_expired_here = self.registry.get(id).is_some();
        if !is_expired_here
            && self.health().is_readable()
            && let Some(Search::Done(lookup)) = self.search(id, purpose, LockState::NotHeld).await
        {
            return lookup;
        }
        let Ok(_lock) = timeout(LOOKUP_TIMEOUT, self.adoptions.of(id).lock()).await else {
            return SessionLookup::Unavailable;
        };
        let _in_progress = self.adoptions.begin(id);
        self.expire_own(id).await;
        for _ in 0..MAX_ATTEMPTS {
            let search =
                if self.health().is_readable() { self.search(id, purpose, LockState::Held).await } else { None };
            match search {
                Some(Search::Done(lookup)) => return lookup,
                Some(Search::Orphan(session)) => {
                    if self.end_orphan(session).await {
                        return SessionLookup::NotFound;
                    }
                }
                Some(Search::NeedsLock) => {}
                None => break,
            }
        }
        // A logout holds here at once, whatever the store says.
        if self.registry.has_tombstone(id) { SessionLookup::NotFound } else { SessionLookup::Unavailable }
    }

    /// Ends a session of this pod that has expired.
    async fn expire_own(&self, id: SessionId) {
        let is_expired = |session: &LiveSession| self.registry.is_expired(session, self.clock.now());
        if let Some(expired) = self.registry.get(id).filter(is_expired) {
            self.end_all(vec![expired], EndReason::Expired, is_expired).await;
        }
    }
}
