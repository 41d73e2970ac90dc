//! Ends expired sessions, and forgets addresses whose newcomers are all admitted again.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::service_state::ServiceState;

/// Sweeps until `stop` is cancelled.
pub(crate) async fn run(state: Arc<ServiceState>, stop: CancellationToken) {
    let mut ticks = interval(state.sweep_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let expired = state.registry.expired(state.clock.now());
        if !expired.is_empty() {
            let expired = state.sessions.expire(expired).await;
            debug!(sessions.expired = expired, "sessions expired");
        }
        if let Some(newcomers) = &state.newcomers {
            newcomers.tidy();
        }
    }
}
