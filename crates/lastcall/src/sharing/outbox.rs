//! What this pod sends to other pods: messages, and requests to the owners of sessions. What cannot be sent now is kept until
//! the store takes writes.

use std::collections::HashMap;

use parking_lot::Mutex;
use session_domain::{PodName, SessionId};

use super::Sharing;
use crate::store::{Message, OwnerRequest, Write, WriteOutcome};

/// Messages that are kept while the store takes no writes. Beyond that, the sweep of their readers finds what they say.
const MAX_UNSENT: usize = 10_000;

/// What has to be sent once the store takes writes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: Mutex<Vec<(PodName, Message)>>,
    requests: Mutex<HashMap<SessionId, OwnerRequest>>,
}

impl Outbox {
    /// Keeps a message for the writer to send.
    pub(super) fn queue(&self, pod: &PodName, message: Message) {
        let mut messages = self.messages.lock();
        if messages.len() < MAX_UNSENT {
            messages.push((pod.clone(), message));
        }
    }

    pub(super) fn take_messages(&self) -> Vec<(PodName, Message)> {
        std::mem::take(&mut *self.messages.lock())
    }

    pub(super) fn take_requests(&self) -> HashMap<SessionId, OwnerRequest> {
        std::mem::take(&mut *self.requests.lock())
    }
}

impl Sharing {
    /// Sends a message to a pod, now or once the store takes writes.
    pub(super) async fn send(&self, pod: &PodName, message: &Message) {
        if *pod == self.config.pod {
            return;
        }
        let sent = self.health.record_write(self.store.send(pod, message).await, self.clock.now());
        if sent.is_none() {
            self.outbox.queue(pod, message.clone());
        }
    }

    /// Sends what could not be sent before.
    pub(super) async fn send_queued(&self) {
        for (pod, message) in self.outbox.take_messages() {
            self.send(&pod, &message).await;
        }
    }

    /// Keeps a request to the owner of a session for the writer. The session's id is not served here from now on.
    pub(super) fn queue_request(&self, id: SessionId, request: OwnerRequest) {
        self.registry.add_tombstone(id);
        self.outbox.requests.lock().insert(id, request);
    }

    /// Keeps a logout for the writer.
    pub(super) fn queue_logout(&self, id: SessionId, automatic: bool) {
        self.queue_request(id, OwnerRequest::End { automatic });
    }

    /// Writes at once; `None` where the store takes no writes.
    pub(super) async fn write_now(&self, write: Write) -> Option<WriteOutcome> {
        if !self.health().is_writable() {
            return None;
        }
        let outcomes = self.health.record_write(self.store.write(vec![write]).await, self.clock.now())?;
        outcomes.into_iter().next()
    }
}
