//! Reads the messages of other pods, and keeps what cannot be acted on yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::SessionId;
use session_domain::lifecycle::Reason;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Sharing, reconcile};
use crate::store::{InboxPosition, Message, OwnerRequest};

/// A read of the inbox waits this long at the store for a message.
const INBOX_WAIT: Duration = Duration::from_secs(5);

/// The inbox is read again this long after a failure.
const INBOX_RETRY: Duration = Duration::from_millis(500);

/// Sessions that messages are about and that could not be looked up yet, at most.
const MAX_PENDING_HINTS: usize = 100_000;

/// Pages of unread messages that are read to answer one question. Where there are more, there is no answer.
const MAX_UNREAD_PAGES: usize = 50;

/// What messages say about a session. It decides what follows where the store does not have the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Another pod has adopted it. Where it is absent, it has ended there since.
    Adopted,
    /// Another pod requests something. The request holds, though the entry with it may be lost.
    Requested(OwnerRequest),
    /// Requests came in at another pod.
    Active,
    /// No message: it is compared in its turn.
    None,
}

impl Hint {
    /// The newest hint about each session.
    fn collect(messages: &[Message]) -> HashMap<SessionId, Self> {
        let mut hints = HashMap::new();
        for message in messages {
            match message {
                Message::Adopted(id) => _ = hints.insert(*id, Self::Adopted),
                Message::Requested(id, request) => _ = hints.insert(*id, Self::Requested(*request)),
                Message::Active(ids) => {
                    for id in ids {
                        hints.entry(*id).or_insert(Self::Active);
                    }
                }
                Message::Notified(..) => {}
            }
        }
        hints
    }
}

/// How far the inbox was read, and what could not be acted on yet.
#[derive(Debug, Default)]
pub(super) struct InboxState {
    /// Messages up to here are dropped from the inbox.
    position: Mutex<InboxPosition>,
    pending: Mutex<HashMap<SessionId, Hint>>,
}

impl InboxState {
    /// Starts at the beginning: the store has lost its data, and the inbox begins anew.
    pub(super) fn restart(&self) {
        *self.position.lock() = InboxPosition::default();
    }
}

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

impl Sharing {
    /// The hints of unread messages, and of those that could not be acted on yet. The messages stay unread. `None` where the
    /// store does not answer.
    pub(super) async fn unread_hints(&self) -> Option<HashMap<SessionId, Hint>> {
        let mut position = self.inbox.position.lock().clone();
        let mut hints = self.inbox.pending.lock().clone();
        for _ in 0..MAX_UNREAD_PAGES {
            let page = self.store.read_inbox(&self.config.pod, &position, Duration::ZERO).await;
            let page = self.health.record_read(page, self.clock.now())?;
            hints.extend(Hint::collect(&page.messages));
            match page.last {
                Some(last) => position = last,
                None => return Some(hints),
            }
        }
        None
    }
}
