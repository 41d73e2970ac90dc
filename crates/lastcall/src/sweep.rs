//! What has to be done now and then: sessions that have outlived their time end, and the metrics are kept small.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use session_domain::Outcome;

use crate::pod::{Live, Pod};
use crate::sharing;
use crate::streams::End;

/// Sweeps until `stop` is cancelled.
pub(crate) async fn sweep(pod: Arc<Pod>, stop: CancellationToken) {
    let mut ticks = interval(pod.sweep_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let outlived = pod.sessions.outlived(pod.clock.now());
        if !outlived.is_empty() {
            // They may have been active as guests since.
            sharing::look_once_more(&pod, &outlived).await;
            let still = |session: &Live| pod.sessions.has_outlived(session, pod.clock.now());
            let expired = sharing::end_all(&pod, outlived, Outcome::Expired, End::Expired, still).await;
            debug!(sessions.expired = expired, "sessions expired");
        }
        pod.metrics.upkeep();
    }
}
