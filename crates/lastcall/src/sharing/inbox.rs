//! Reads the messages of other pods, acts on them, and keeps those that cannot be acted on yet.

use std::sync::Arc;
use std::time::Duration;

use session_domain::SessionId;
use session_domain::lifecycle::Reason;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::hints::Hint;
use super::{Sharing, reconcile};
use crate::store::Message;

/// A read of the inbox waits this long at the store for a message.
const INBOX_WAIT: Duration = Duration::from_secs(5);

/// The inbox is read again this long after a failure.
const INBOX_RETRY: Duration = Duration::from_millis(500);

/// Sessions that messages are about and that could not be looked up yet, at most.
const MAX_PENDING_HINTS: usize = 100_000;

/// Reads the pod's inbox until `stop` is cancelled. A message that cannot be acted on yet does not hold up the others.
pub(super) async fn run(sharing: Arc<Sharing>, stop: CancellationToken) {
    loop {
        let wait = if sharing.inbox.pending.lock().is_empty() { INBOX_WAIT } else { INBOX_RETRY };
        let read = async {
            if sharing.health.now().is_readable() && read_page(&sharing, wait).await.is_some() {
                return;
            }
            sleep(INBOX_RETRY).await;
        };
        if stop.run_until_cancelled(read).await.is_none() {
            return;
        }
    }
}

/// Reads one page and acts on it; `None` where the store does not answer.
async fn read_page(sharing: &Arc<Sharing>, wait: Duration) -> Option<()> {
    let position = sharing.inbox.position.lock().clone();
    let page = match sharing.store.read_inbox(&sharing.config.pod, &position, wait).await {
        Ok(page) => page,
        Err(error) => {
            // The lease finds out whether the store is unavailable.
            debug!(error = &error as &dyn std::error::Error, "the inbox cannot be read");
            return None;
        }
    };
    for message in &page.messages {
        if let Message::Notified(id, reason) = message {
            mark_notified(sharing, *id, *reason);
        }
        sharing.apply_task_message(message).await;
    }
    let mut hints = sharing.inbox.pending.lock().clone();
    hints.extend(Hint::collect(&page.messages));
    if hints.len() > MAX_PENDING_HINTS {
        debug!(sessions.pending = hints.len(), "too many messages cannot be acted on: the sweep finds the rest");
        hints.retain(|_, hint| *hint != Hint::Active);
    }
    // Kept before the messages are dropped from the inbox: `unread_hints` has to include them.
    sharing.inbox.pending.lock().clone_from(&hints);
    if let Some(last) = page.last {
        let acknowledged = sharing.store.acknowledge(&sharing.config.pod, &last).await;
        sharing.health.record_write(acknowledged, sharing.clock.now());
        *sharing.inbox.position.lock() = last;
    }
    let pending = reconcile::reconcile(sharing, &hints).await;
    *sharing.inbox.pending.lock() = pending;
    Some(())
}

/// Records that a user was shown, on another pod, the notice that runs here.
fn mark_notified(sharing: &Sharing, id: SessionId, reason: Reason) {
    let notice = sharing.lifecycle.borrow().notice().filter(|notice| notice.reason == reason);
    if let (Some(notice), Some(session)) = (notice, sharing.registry.get(id)) {
        sharing.registry.mark_notified(&session, notice.id);
    }
}
