//! What the messages in the pod's inbox say about sessions, and how far the inbox was read.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::SessionId;

use super::Sharing;
use crate::store::{InboxPosition, Message, OwnerRequest};

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
    pub(super) fn collect(messages: &[Message]) -> HashMap<SessionId, Self> {
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
                Message::Notified(..)
                | Message::Task(..)
                | Message::TaskEnded(..)
                | Message::TasksCut(_)
                | Message::Renamed(..) => {}
            }
        }
        hints
    }
}

/// How far the inbox was read, and what could not be acted on yet.
#[derive(Debug, Default)]
pub(super) struct InboxState {
    /// Messages up to here are dropped from the inbox.
    pub(super) position: Mutex<InboxPosition>,
    pub(super) pending: Mutex<HashMap<SessionId, Hint>>,
}

impl InboxState {
    /// Starts at the beginning: the store has lost its data, and the inbox begins anew.
    pub(super) fn restart(&self) {
        *self.position.lock() = InboxPosition::default();
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
