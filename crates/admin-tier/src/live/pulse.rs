//! The pulse of open pages: one scene for all of them, at most once a second. All that is kept for streams is the scene
//! before, whatever their number.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Scene, Sources};

/// Open pages change at most so often.
const EVERY: Duration = Duration::from_secs(1);

/// Publishes scenes until `stop` is cancelled.
pub(crate) async fn beat(sources: Sources, scenes: watch::Sender<Arc<Scene>>, stop: CancellationToken) {
    stop.run_until_cancelled(publish(sources, scenes)).await;
}

async fn publish(mut sources: Sources, scenes: watch::Sender<Arc<Scene>>) {
    let mut stands = sources.maintenance.as_ref().map(crate::maintenance::Maintenance::stands);
    let mut deeds = sources.audit.subscribe();
    loop {
        tokio::select! {
            true = changed(Some(&mut sources.views)) => {}
            true = changed(stands.as_mut()) => {}
            true = changed(sources.orphans.as_mut()) => {}
            true = changed(Some(&mut deeds)) => {}
        }
        scenes.send_replace(Arc::new(sources.scene()));
        sleep(EVERY).await;
    }
}

/// Whether there is something new. What is not there, or will not come any more, is never new.
async fn changed<T>(receiver: Option<&mut watch::Receiver<T>>) -> bool {
    if let Some(receiver) = receiver
        && receiver.changed().await.is_ok()
    {
        return true;
    }
    pending().await
}
