//! Room for newcomers where the pod is full: sessions whose cookie never came back go first.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::debug;

use crate::service_state::ServiceState;
use crate::sessions::{EndReason, LiveSession};

/// After this time the newcomer gets the busy page.
const EVICTION_TIMEOUT: Duration = Duration::from_secs(1);

/// Sessions that are given up at a time where a store is asked for each: its answer makes room for more than one newcomer.
const SHARED_BATCH: u64 = 16;

/// Gives up sessions whose cookie never came back and that have nothing open, if there are any; not for long.
pub(crate) async fn make_room(state: &Arc<ServiceState>) {
    let most = match state.sessions.sharing() {
        Some(_) => (state.config.limits.max_sessions / 100).clamp(1, SHARED_BATCH),
        None => 1,
    };
    let evictable = state.registry.take_evictable(usize::try_from(most).unwrap_or(1));
    if evictable.is_empty() {
        return;
    }
    // To its end, even where the newcomer hangs up in the middle.
    let state = Arc::clone(state);
    let evicting = tokio::spawn(async move {
        // They may have been active as guests on another pod since.
        state.sessions.refresh(&evictable).await;
        let still = |session: &LiveSession| session.may_be_evicted();
        let evicted = state.sessions.end_all(evictable, EndReason::Expired, still).await;
        debug!(sessions.evicted = evicted.expired, "sessions without a cookie made room");
    });
    let _ = timeout(EVICTION_TIMEOUT, evicting).await;
}
