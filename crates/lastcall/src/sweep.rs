//! What has to be done now and then: sessions that have outlived their time end, and the metrics are kept small.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::driver::end_streams;
use crate::pod::Pod;
use crate::streams::End;

/// Sweeps until `stop` is cancelled.
pub(crate) async fn sweep(pod: Arc<Pod>, stop: CancellationToken) {
    let mut ticks = interval(pod.sweep_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let expired = pod.sessions.expire(pod.clock.now());
        end_streams(&expired, End::Expired);
        if !expired.is_empty() {
            debug!(sessions.expired = expired.len(), "sessions expired");
        }
        pod.metrics.upkeep();
    }
}
