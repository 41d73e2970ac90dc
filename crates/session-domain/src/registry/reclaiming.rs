//! Reclaiming: the pod takes a session that it holds back from another pod, which the shared store names as the owner.
//!
//! What was read in the store before that says nothing of who owns the session afterwards. An [`OwnershipMark`] that is taken
//! before the store is asked shows whether the answer still counts: [`Registry::end_as_moved`] ends no session that was reclaimed
//! since. Otherwise the pod could let go of a session while the other pod gives it back, and no pod would hold it.

use std::sync::Arc;

use super::Registry;
use super::live_session::{Identity, LiveSession};
use crate::ids::SessionId;
use crate::outcome::Outcome;

/// How often a session was reclaimed.
#[derive(Debug, Default)]
pub(super) struct Reclaims {
    begun: u64,
    in_progress: u32,
}

/// Stands for the time at which it was taken: see [`LiveSession::ownership_mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnershipMark {
    id: SessionId,
    reclaims: u64,
}

/// The session was reclaimed, or got another id, after the mark was taken: what the store said then is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session was reclaimed or renamed meanwhile: ask the store again")]
pub struct OutdatedMark;

/// A session is being reclaimed until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it says that the store has answered"]
pub struct Reclaim<'a, X>(&'a LiveSession<X>);

impl<X> Drop for Reclaim<'_, X> {
    fn drop(&mut self) {
        self.0.lock().reclaims.in_progress -= 1;
    }
}

impl Identity {
    const fn ownership_mark(&self) -> OwnershipMark {
        OwnershipMark { id: self.id, reclaims: self.reclaims.begun }
    }
}

impl<X> LiveSession<X> {
    /// Takes a mark before the store is asked who owns the session. `None` while the session is being reclaimed: the answer
    /// would say nothing.
    pub fn ownership_mark(&self) -> Option<OwnershipMark> {
        let identity = self.lock();
        (identity.reclaims.in_progress == 0).then(|| identity.ownership_mark())
    }

    /// Begins to reclaim the session. `None` where it has ended: there is nothing to take back then.
    pub fn begin_reclaim(&self) -> Option<Reclaim<'_, X>> {
        let mut identity = self.lock();
        if identity.ended.is_some() {
            return None;
        }
        identity.reclaims.begun += 1;
        identity.reclaims.in_progress += 1;
        Some(Reclaim(self))
    }
}

impl<X> Registry<X> {
    /// Ends the session because another pod owns it. Returns `false` if it had ended already.
    ///
    /// # Errors
    /// If the session was reclaimed, or got another id, after `mark` was taken. Nothing is done then.
    pub fn end_as_moved(&self, session: &Arc<LiveSession<X>>, mark: OwnershipMark) -> Result<bool, OutdatedMark> {
        let identity = session.lock();
        if identity.ended.is_none() && identity.ownership_mark() != mark {
            return Err(OutdatedMark);
        }
        Ok(self.end_locked(session, identity, Outcome::Moved))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::{PodName, UserName};
    use crate::registry::Limits;
    use crate::time::Timestamp;

    fn id(n: u128) -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn an_answer_from_before_a_session_was_reclaimed_or_renamed_does_not_end_it() {
        let registry = Registry::new(PodName::new("a").unwrap(), Limits::default(), || {});
        let live = registry.start(id(7), UserName::anonymous(), (), Timestamp::from_millis(0)).unwrap();
        let before = live.ownership_mark().unwrap();
        let reclaim = live.begin_reclaim().unwrap();
        assert_eq!(live.ownership_mark(), None);
        assert_eq!(registry.end_as_moved(&live, before), Err(OutdatedMark));
        drop(reclaim);
        assert_eq!(registry.end_as_moved(&live, before), Err(OutdatedMark));
        let unnamed = live.ownership_mark().unwrap();
        assert!(registry.rename(&live, id(8), UserName::from_input("ada"), Timestamp::from_millis(1)));
        assert_eq!(registry.end_as_moved(&live, unnamed), Err(OutdatedMark));
        let after = live.ownership_mark().unwrap();
        assert_eq!(registry.end_as_moved(&live, after), Ok(true));
        assert_eq!(registry.end_as_moved(&live, before), Ok(false), "it has ended");
        assert!(live.begin_reclaim().is_none());
    }
}
