//! The link to one pod: a gRPC watch that is restarted whenever it ends, and a probe of a pod that is silent.
//!
//! A link runs until it is stopped, whatever the pod does. It reports what the pod sends, and losing the pod, as events.

mod attach_bearer;
mod decode;
mod watch;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use attach_bearer::AttachBearer;
use backoff::Backoff;
use fleet::{Address, PodEvent};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
pub(crate) use watch::PodEventSender;
use watch::{WatchEnd, watch_pod};

/// How often a finished pod is tried: another process may replace it at its address.
const FINISHED_POD_INTERVAL: Duration = Duration::from_secs(2);

/// How long a watch has to last to reset the back-off.
const HEALTHY_AFTER: Duration = Duration::from_secs(5);

/// Keeps the link to the pod at `address` until `stop` is cancelled. `relist` restarts the watch for a new snapshot.
pub(crate) async fn run(
    address: Address,
    attach_bearer: AttachBearer,
    events: PodEventSender,
    relist: Arc<Notify>,
    stop: CancellationToken,
) {
    let linking = async {
        let mut backoff = Backoff::default();
        // The reason that was last logged. A finished pod that is away is not logged: that is expected.
        let mut logged = None;
        let mut is_finished = false;
        loop {
            let started = Instant::now();
            let (end, had_snapshot) = watch_pod(&address, &attach_bearer, &events, &relist).await;
            if had_snapshot {
                is_finished = false;
            }
            // A pod that is only connected for a moment is not healthy: back-off and log continue.
            if had_snapshot && started.elapsed() >= HEALTHY_AFTER {
                backoff = Backoff::default();
                logged = None;
            }
            let pause = match end {
                WatchEnd::FellBehind => backoff.next_pause(),
                // The fleet limits how often it requests this.
                WatchEnd::Relist => {
                    info!(pod.address = %address, "session count differs from the list; fetching the list again");
                    continue;
                }
                WatchEnd::Finished => {
                    info!(pod.address = %address, "pod has finished");
                    is_finished = true;
                    FINISHED_POD_INTERVAL
                }
                WatchEnd::Lost(reason) => {
                    if !is_finished && logged.as_ref() != Some(&reason) {
                        warn!(pod.address = %address, reason, "pod is lost, trying again");
                        logged = Some(reason.clone());
                    }
                    if events.send((address.clone(), PodEvent::Unreachable(reason))).await.is_err() {
                        return;
                    }
                    backoff.next_pause()
                }
            };
            sleep(pause).await;
        }
    };
    stop.run_until_cancelled(linking).await;
}
