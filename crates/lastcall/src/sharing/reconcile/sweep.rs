//! Goes over all sessions of the pod, a bounded number at a time, so that a pod at rest costs the store the same however many
//! sessions it holds.

use std::sync::Arc;

use session_domain::SessionId;

use super::super::Sharing;
use super::super::hints::Hint;
use super::{LOOKUP_BATCH, RECONCILE_INTERVAL, reconcile};
use crate::store::Write;

/// The least number of sessions that are compared each time.
const MIN_BATCH: usize = 5;

/// All sessions are compared within this part of their time to live.
const TTL_FRACTION: u32 = 3;

/// How far the sweep has come.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    remaining: Vec<SessionId>,
}

impl Sweep {
    /// Compares the next sessions.
    pub(super) async fn next(&mut self, sharing: &Arc<Sharing>) {
        if self.remaining.is_empty() {
            sharing.registry.walk(|session| self.remaining.push(session.id()));
        }
        let rounds = (sharing.config.limits.session_ttl / TTL_FRACTION).as_millis() / RECONCILE_INTERVAL.as_millis();
        let due = sharing.registry.active() / u64::try_from(rounds.max(1)).unwrap_or(u64::MAX);
        let size = MIN_BATCH.max(usize::try_from(due).unwrap_or(usize::MAX).saturating_add(1));
        let batch = self.remaining.split_off(self.remaining.len().saturating_sub(size));
        compare(sharing, batch).await;
    }

    /// Compares all sessions.
    pub(super) async fn all(&mut self, sharing: &Arc<Sharing>) {
        self.remaining.clear();
        let mut all = Vec::new();
        sharing.registry.walk(|session| all.push(session.id()));
        compare(sharing, all).await;
    }
}

/// Compares sessions with the store, and extends the time to live of those that are connected or protected: where no request touches them,
/// nothing else does.
async fn compare(sharing: &Arc<Sharing>, ids: Vec<SessionId>) {
    let is_connected = |id: &SessionId| {
        sharing.registry.get(*id).is_some_and(|session| session.is_connected() || session.is_protected())
    };
    let extended: Vec<_> = ids.iter().filter(|id| is_connected(id)).map(|id| Write::ExtendTtl { id: *id }).collect();
    reconcile(sharing, &ids.into_iter().map(|id| (id, Hint::None)).collect()).await;
    for batch in extended.chunks(LOOKUP_BATCH) {
        if sharing.health().is_writable() {
            let written = sharing.store.write(batch.to_vec()).await;
            sharing.health.record_write(written, sharing.clock.now());
        }
    }
}
