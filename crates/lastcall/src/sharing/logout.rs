//! Ends sessions whose users log out, wherever they live.

use std::sync::Arc;

use session_domain::SessionId;
use session_domain::shared::{Purpose, SharedSession};

use super::writer_request::{ClaimOutcome, ClaimPurpose};
use super::{Sharing, run_to_completion};
use crate::event_streams::CloseReason;
use crate::sessions::live::{self, LiveSession};
use crate::sessions::outcome::SessionLookup;
use crate::sessions::served::ServedSession;
use crate::store::{Adoption, OwnerRequest, Write, WriteOutcome};

/// How often a session is looked up again because another pod took it meanwhile.
const MAX_ATTEMPTS: usize = 4;

impl Sharing {
    /// Ends a session because its user logs out.
    pub(crate) async fn log_out(self: &Arc<Self>, session: ServedSession, automatic: bool) {
        let sharing = Arc::clone(self);
        run_to_completion(async move {
            match session {
                ServedSession::Own(live) => sharing.log_out_own(live, automatic).await,
                ServedSession::Guest(guest) => sharing.request_logout(&guest, automatic).await,
            }
        })
        .await;
    }

    /// Ends a session that this pod does not own because its user logs out.
    pub(crate) async fn log_out_by_id(self: &Arc<Self>, id: SessionId, automatic: bool) {
        let sharing = Arc::clone(self);
        run_to_completion(async move { sharing.log_out_elsewhere(id, automatic).await }).await;
    }

    async fn log_out_own(self: &Arc<Self>, live: LiveSession, automatic: bool) {
        let id = live.id();
        if !self.try_log_out(&live, automatic).await {
            self.log_out_elsewhere(id, automatic).await;
        }
    }

    /// Ends a session that this pod owns. `false` where it lives on another pod by now.
    async fn try_log_out(&self, live: &LiveSession, automatic: bool) -> bool {
        let mark = live.ownership_mark();
        match self.claim_one(live, ClaimPurpose::End).await {
            ClaimOutcome::Claimed | ClaimOutcome::Unacknowledged => {
                live::log_out(&self.registry, live, automatic);
                self.flush().await;
            }
            ClaimOutcome::LoggedOut { automatic } => _ = live::log_out(&self.registry, live, automatic),
            ClaimOutcome::Moved => {
                // Where this pod has reclaimed it meanwhile, it is found here again.
                let _ = self.end_as_moved(live, mark);
                return false;
            }
        }
        true
    }

    async fn log_out_elsewhere(self: &Arc<Self>, id: SessionId, automatic: bool) {
        for _ in 0..MAX_ATTEMPTS {
            match self.lookup(id, Purpose::Logout).await {
                SessionLookup::Found(ServedSession::Guest(guest)) => {
                    return self.request_logout(&guest, automatic).await;
                }
                SessionLookup::Found(ServedSession::Own(live)) => {
                    if self.try_log_out(&live, automatic).await {
                        return;
                    }
                }
                // A session that goes on under another id is not ended by the old one.
                SessionLookup::NotFound | SessionLookup::Replaced => return,
                SessionLookup::Unavailable | SessionLookup::Maintenance => break,
            }
        }
        self.queue_logout(id, automatic);
        self.guests.close(id, CloseReason::Logout);
    }

    /// Ends a session whose owner is gone. `false` where another pod was faster.
    pub(super) async fn end_orphan(&self, session: SharedSession) -> bool {
        let (id, to) = (session.id, self.config.pod.clone());
        let adoption = Adoption { id, from: session.pod, to, unless_pinned: false, pinned: false };
        let adopted = self.health.record_write(self.store.adopt(&adoption).await, self.clock.now());
        let Some(Some(adopted)) = adopted else { return false };
        self.registry.add_tombstone(id);
        let deleted = self.write_now(Write::Delete { id, pod: self.config.pod.clone(), replaced_for: None }).await;
        let is_acknowledged = !matches!(deleted, None | Some(WriteOutcome::Unavailable));
        if is_acknowledged {
            self.registry.remove_tombstone(id);
        }
        // Another pod has adopted it meanwhile, and may have ended it: it is that pod's to end and to count.
        let is_settled = self.health.believes_leases(self.clock.now());
        if deleted == Some(WriteOutcome::NotOwner) || (deleted == Some(WriteOutcome::Missing) && is_settled) {
            return false;
        }
        // The pods that run its tasks, this one among them, may know of its end from nobody else.
        for task in &adopted.tasks {
            self.cut_elsewhere(id, &task.holder);
        }
        self.registry.count_logout_for_gone_owner();
        if !is_acknowledged {
            self.queue_logout(id, false);
        }
        self.guests.close(id, CloseReason::Logout);
        true
    }

    /// Ends a session that this pod has released and still owns in the store: its user has logged out before another pod
    /// adopted it.
    pub(super) async fn end_released(&self, id: SessionId) {
        let claim = Write::ClaimEnd { id, pod: self.config.pod.clone(), replaced_for: None };
        if matches!(self.write_now(claim).await, Some(WriteOutcome::Requested(OwnerRequest::End { .. }))) {
            self.registry.count_logout_for_gone_owner();
        }
    }
}
