//! A session that is served here and owned by another pod: what its owner is asked for, and what its user is told.

use std::sync::Arc;

use session_domain::lifecycle::Reason;
use session_domain::shared::{Owner, SharedSession};
use session_domain::{PodName, SessionId, Timestamp, UserName};

use super::{Sharing, locked};
use crate::notice::GuestNotice;
use crate::sessions::SignIn;
use crate::store::{Message, OwnerRequest, Write, Written};
use crate::streams::{CloseReason, Streams};

/// Messages that are kept while the store takes no writes. The sweep of their readers finds what the others would have told.
const MAX_UNSENT: usize = 10_000;

/// Notices whose showing is remembered.
const MAX_TOLD_NOTICES: usize = 100_000;

/// A session of another pod, for as long as a request or an event stream of it is served here. Nothing of it counts here.
#[derive(Debug)]
pub(crate) struct Guest {
    session: SharedSession,
    streams: Streams,
}

impl Guest {
    /// Takes in the session as the store has it. Times that lie ahead of ours are another pod's clock.
    pub(super) fn new(mut session: SharedSession, owner: Owner, now: Timestamp) -> Self {
        session.last_activity = now;
        session.login_time = session.login_time.min(now);
        let streams = Streams::default();
        streams.set_owner_notice(owner.notice().map(|notice| GuestNotice::new(notice, now)));
        Self { session, streams }
    }

    pub(crate) const fn id(&self) -> SessionId {
        self.session.id
    }

    pub(crate) const fn user(&self) -> &UserName {
        &self.session.user
    }

    pub(crate) const fn login_time(&self) -> Timestamp {
        self.session.login_time
    }

    pub(crate) const fn last_activity(&self) -> Timestamp {
        self.session.last_activity
    }

    /// The pod that owns it.
    pub(crate) const fn owner(&self) -> &PodName {
        &self.session.pod
    }

    pub(crate) const fn streams(&self) -> &Streams {
        &self.streams
    }
}

impl Sharing {
    /// A guest was active: its owner will see it.
    pub(crate) fn touch_guest(&self, guest: &Guest, now: Timestamp) {
        let touch = (guest.owner().clone(), now);
        self.touches.pin().update_or_insert(guest.id(), |(owner, known)| (owner.clone(), now.max(*known)), touch);
    }

    /// A guest has opened an event stream here.
    pub(crate) fn watch_guest(&self, guest: &Arc<Guest>) {
        let mut guests = locked(&self.guests);
        let known = guests.entry(guest.id()).or_default();
        if !known.iter().any(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(guest))) {
            known.push(Arc::downgrade(guest));
        }
    }

    /// The user of a guest was shown the notice that runs on its owner, which counts that.
    pub(crate) fn guest_was_notified(&self, guest: &Guest, reason: Reason) {
        let mut told = locked(&self.told_notices);
        if told.len() >= MAX_TOLD_NOTICES {
            told.clear();
        }
        if told.insert((guest.id(), reason)) {
            self.send_later(guest.owner(), Message::Notified(guest.id(), reason));
        }
    }

    /// The user of a guest logs out. The owner counts it, once it has been told. What cannot be written now is kept.
    pub(super) async fn ask_to_end(&self, guest: &Guest, automatic: bool) {
        let request = OwnerRequest::End { automatic };
        let write = Write::Request { id: guest.id(), request };
        match self.write_one(write).await {
            Some(Written::Done) => self.tell(guest.owner(), &Message::Asked(guest.id(), request)).await,
            // It ended in this very moment, unless the store has lost it: the owner is told in any case.
            Some(Written::Missing) => {
                self.end_later(guest.id(), automatic);
                self.tell(guest.owner(), &Message::Asked(guest.id(), request)).await;
            }
            Some(Written::Elsewhere | Written::Asked(_) | Written::Later | Written::Refused(_)) | None => {
                self.end_later(guest.id(), automatic);
            }
        }
        guest.streams.close_all(CloseReason::Logout);
        self.close_guests(guest.id(), CloseReason::Logout);
    }

    /// The user of a guest signs in: the session goes on under another id, at its owner.
    pub(super) async fn rename_guest(&self, guest: &Guest, id: SessionId, user: &UserName) -> SignIn {
        let renamed = SharedSession { id, user: user.clone(), streaming: true, ..guest.session.clone() };
        // In this order: a request for an entry that is not there could not be fulfilled.
        let put = Write::Put { session: renamed, idle: std::time::Duration::ZERO, new: true };
        if self.write_one(put).await != Some(Written::Done) {
            return SignIn::Unavailable;
        }
        let request = OwnerRequest::Rename(id);
        match self.write_one(Write::Request { id: guest.id(), request }).await {
            Some(Written::Done) => {
                self.registry.record_replaced(guest.id(), self.clock.now());
                self.tell(guest.owner(), &Message::Asked(guest.id(), request)).await;
                SignIn::Done
            }
            // It has ended meanwhile: what was written for it belongs to nobody.
            Some(Written::Missing) => {
                self.write_one(Write::Delete { id, pod: guest.owner().clone(), replaced_for: None }).await;
                SignIn::Ended
            }
            // It may be done or not: the new id is good, and the owner is asked again.
            Some(Written::Later) | None => {
                self.registry.record_replaced(guest.id(), self.clock.now());
                self.ask_later(guest.id(), request);
                SignIn::Done
            }
            Some(Written::Elsewhere | Written::Asked(_) | Written::Refused(_)) => SignIn::Unavailable,
        }
    }

    /// Writes at once; `None` where the store takes no writes.
    pub(super) async fn write_one(&self, write: Write) -> Option<Written> {
        if !self.health().is_writable() {
            return None;
        }
        let results = self.health.written(self.store.write(vec![write]).await, self.clock.now())?;
        results.into_iter().next()
    }

    pub(super) async fn tell(&self, pod: &PodName, message: &Message) {
        if *pod == self.config.pod {
            return;
        }
        let sent = self.health.written(self.store.send(pod, message).await, self.clock.now());
        if sent.is_none() {
            self.send_later(pod, message.clone());
        }
    }

    /// Leaves a message to the writer.
    pub(super) fn send_later(&self, pod: &PodName, message: Message) {
        let mut unsent = locked(&self.unsent);
        if unsent.len() < MAX_UNSENT {
            unsent.push((pod.clone(), message));
        }
    }
}
