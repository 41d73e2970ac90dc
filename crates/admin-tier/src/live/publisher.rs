//! Publishes page data for all event streams, at most once a second.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{PageData, PageSources};
use crate::maintenance::Maintenance;

/// The shortest time between two publications.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(1);

/// Publishes page data after each change until `stop` is cancelled.
pub(crate) async fn run(sources: PageSources, page_data: watch::Sender<Arc<PageData>>, stop: CancellationToken) {
    stop.run_until_cancelled(publish(sources, page_data)).await;
}

async fn publish(mut sources: PageSources, page_data: watch::Sender<Arc<PageData>>) {
    let mut switch_states = sources.maintenance.as_ref().map(Maintenance::subscribe);
    let mut audit_entries = sources.audit.subscribe();
    loop {
        tokio::select! {
            true = changed(Some(&mut sources.views)) => {}
            true = changed(switch_states.as_mut()) => {}
            true = changed(sources.orphans.as_mut()) => {}
            true = changed(Some(&mut audit_entries)) => {}
        }
        page_data.send_replace(Arc::new(sources.page_data()));
        sleep(PUBLISH_INTERVAL).await;
    }
}

/// Waits for a new value. An absent or closed source never has one.
async fn changed<T>(receiver: Option<&mut watch::Receiver<T>>) -> bool {
    if let Some(receiver) = receiver
        && receiver.changed().await.is_ok()
    {
        return true;
    }
    pending().await
}
