//! Adoption: the pod becomes the owner of a session that another pod owned.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Registry;
use super::capacity::AdmissionError;
use super::live_session::LiveSession;
use crate::lifecycle::{Admission, NoticeId};
use crate::outcome::Outcome;
use crate::shared::SharedSession;
use crate::time::Timestamp;

/// Reserves the place of one adopted session. The place is free again when this is dropped unused.
#[must_use = "dropping the slot frees the place"]
pub struct AdoptionSlot<'a, X> {
    registry: &'a Registry<X>,
    is_used: bool,
}

impl<X> std::fmt::Debug for AdoptionSlot<'_, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdoptionSlot").field("pod", &self.registry.pod).finish_non_exhaustive()
    }
}

impl<X> AdoptionSlot<'_, X> {
    /// Adopts the session. The registry must not hold it already, and nothing else may adopt the same id meanwhile.
    ///
    /// `notified` is the running notice if the former owner has notified the session of it: the session is then not
    /// notified, nor counted, once more.
    pub fn adopt(
        mut self,
        session: &SharedSession,
        notified: Option<NoticeId>,
        attachment: X,
        now: Timestamp,
    ) -> Arc<LiveSession<X>> {
        self.is_used = true;
        let registry = self.registry;
        let live = Arc::new(LiveSession::adopted(session, attachment, now));
        if let Some(notice) = notified {
            live.mark_notified(notice);
        }
        registry.ledger.adopted.fetch_add(1, Ordering::Relaxed);
        registry.insert_with_work(&live);
        registry.queue_change(&live);
        (registry.population_changed)();
        live
    }
}

impl<X> Drop for AdoptionSlot<'_, X> {
    fn drop(&mut self) {
        if !self.is_used {
            self.registry.capacity.release();
            (self.registry.population_changed)();
        }
    }
}

impl<X> Registry<X> {
    /// Reserves a place for a session of another pod before that pod is asked for it. A session with a slot is adopted
    /// even if the pod stops admitting sessions meanwhile.
    ///
    /// # Errors
    /// If the pod is full or adopts no sessions now.
    pub fn reserve_adoption(&self) -> Result<AdoptionSlot<'_, X>, AdmissionError> {
        self.capacity.reserve(Admission::AdoptionsOnly)?;
        Ok(AdoptionSlot { registry: self, is_used: false })
    }

    /// Counts the logout of a session whose owner is gone: one adoption and one end, whatever the pod admits.
    pub fn count_logout_for_gone_owner(&self) {
        self.ledger.adopted.fetch_add(1, Ordering::Relaxed);
        self.ledger.count_end(Outcome::Logout);
    }
}
