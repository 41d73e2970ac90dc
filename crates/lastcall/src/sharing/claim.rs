//! Claims sessions of this pod before they end or get another id. The claim shows in the same step whether another pod has the
//! session by then, or its user has logged out there. So a session ends on one pod only.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::writer_request::{ClaimOutcome, ClaimPurpose, ClaimRequest, WriterRequest};
use super::{ACKNOWLEDGE_TIMEOUT, Sharing};
use crate::sessions::live::LiveSession;

impl Sharing {
    /// Claims one session, within [`ACKNOWLEDGE_TIMEOUT`].
    pub(super) async fn claim_one(&self, session: &LiveSession, purpose: ClaimPurpose) -> ClaimOutcome {
        let outcomes = self.claim(vec![Arc::clone(session)], purpose, ACKNOWLEDGE_TIMEOUT).await;
        outcomes.first().copied().unwrap_or(ClaimOutcome::Unacknowledged)
    }

    /// Claims sessions of this pod; one outcome for each. The writer does it, so that no earlier write comes after the claim.
    pub(super) async fn claim(
        &self,
        sessions: Vec<LiveSession>,
        purpose: ClaimPurpose,
        limit: Duration,
    ) -> Vec<ClaimOutcome> {
        let unacknowledged = vec![ClaimOutcome::Unacknowledged; sessions.len()];
        let (done, outcomes) = oneshot::channel();
        let request = WriterRequest::Claim(ClaimRequest { sessions, purpose, done });
        if !self.health().is_writable() || self.writer.send(request).is_err() {
            return unacknowledged;
        }
        match timeout(limit, self.while_writable(outcomes)).await {
            Ok(Some(outcomes)) => outcomes,
            Ok(None) | Err(_) => unacknowledged,
        }
    }
}
