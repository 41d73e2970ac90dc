//! Ends sessions of this pod for other reasons than a logout: forced, released or expired.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::writer_request::{ClaimOutcome, ClaimPurpose};
use super::{Sharing, reconcile};
use crate::sessions::live::{self, LiveSession};
use crate::sessions::outcome::{EndCounts, EndReason};

/// A batch of sessions that end together is claimed within this time: two answers of a store that is just not unavailable.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(3);

/// All batches are claimed within this time. Where the store is slow, it comes on top of the drain's own times.
const CLAIM_ALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Sessions that are claimed together.
const BATCH: usize = 2_000;

impl Sharing {
    /// See [`crate::sessions::Sessions::end_all`].
    pub(crate) async fn end_all(
        &self,
        sessions: Vec<LiveSession>,
        reason: EndReason,
        still_applies: impl Fn(&LiveSession) -> bool,
    ) -> EndCounts {
        let purpose = match reason {
            EndReason::Forced | EndReason::Expired => ClaimPurpose::End,
            EndReason::Released | EndReason::Absent => ClaimPurpose::Release,
        };
        let until = Instant::now() + CLAIM_ALL_TIMEOUT;
        let mut counts = EndCounts::default();
        // The sessions of a batch end before the next batch is claimed, so that no request finds one without its entry.
        for batch in sessions.chunks(BATCH) {
            let limit = CLAIM_TIMEOUT.min(until - Instant::now());
            let marks: Vec<_> = batch.iter().map(|session| session.ownership_mark()).collect();
            let outcomes = self.claim(batch.to_vec(), purpose, limit).await;
            for ((session, mark), outcome) in batch.iter().zip(marks).zip(outcomes) {
                let (outcome, close) = match outcome {
                    ClaimOutcome::Moved if self.end_as_moved(session, mark).is_ok() => continue,
                    ClaimOutcome::LoggedOut { automatic } => {
                        live::log_out(&self.registry, session, automatic);
                        continue;
                    }
                    ClaimOutcome::Claimed | ClaimOutcome::Unacknowledged | ClaimOutcome::Moved
                        if !still_applies(session) =>
                    {
                        self.rewrite_lost(session);
                        continue;
                    }
                    ClaimOutcome::Claimed => reason.acknowledged(),
                    ClaimOutcome::Unacknowledged
                        if purpose == ClaimPurpose::Release && self.is_believed_stored(session) =>
                    {
                        reason.acknowledged()
                    }
                    ClaimOutcome::Unacknowledged | ClaimOutcome::Moved => reason.unacknowledged(),
                };
                if live::end(&self.registry, session, outcome, close) {
                    counts.count(outcome);
                }
            }
        }
        counts
    }

    /// Whether the store has acknowledged the entry of this session before, and is not known to have lost it since. Other pods adopt the
    /// session then once this pod's lease has run out, also where the store does not answer now.
    fn is_believed_stored(&self, session: &LiveSession) -> bool {
        self.stored_epoch_of(session).is_some()
    }

    /// Compares these sessions with the store.
    pub(crate) async fn refresh(self: &Arc<Self>, sessions: &[LiveSession]) {
        if self.health().is_readable() && !sessions.is_empty() {
            let ids: HashSet<_> = sessions.iter().map(|session| session.id()).collect();
            let _ = timeout(CLAIM_ALL_TIMEOUT, reconcile::reconcile_sessions(self, ids)).await;
        }
    }
}
