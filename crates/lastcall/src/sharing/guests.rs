//! The guests that this pod serves: their activity, their event streams, and which notices their users were shown.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use session_domain::lifecycle::Reason;
use session_domain::{PodName, SessionId, Timestamp};

use super::Sharing;
use crate::event_streams::CloseReason;
use crate::sessions::guest::Guest;
use crate::store::Message;

/// Notices that are remembered as reported to the owner.
const MAX_REPORTED_NOTICES: usize = 100_000;

/// A guest's activity that has not been reported to its owner yet.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    pub(super) id: SessionId,
    pub(super) owner: PodName,
    pub(super) at: Timestamp,
}

/// The guests of this pod.
#[derive(Debug, Default)]
pub(super) struct GuestTable {
    /// The owner of each guest that was active, and when it was.
    touches: papaya::HashMap<SessionId, (PodName, Timestamp)>,
    /// Guests with an event stream here, which have to end when their session ends on another pod.
    streaming: Mutex<HashMap<SessionId, Vec<Weak<Guest>>>>,
    /// Notices that were reported to the owner as shown. Each is reported once.
    reported_notices: Mutex<HashSet<(SessionId, Reason)>>,
}

impl GuestTable {
    /// Records activity of a guest. The latest counts.
    pub(super) fn touch(&self, id: SessionId, owner: &PodName, at: Timestamp) {
        let newest = |(_, known): &(PodName, Timestamp)| (owner.clone(), at.max(*known));
        self.touches.pin().update_or_insert(id, newest, (owner.clone(), at));
    }

    /// Takes at most `limit` activities.
    pub(super) fn take_touches(&self, limit: usize) -> Vec<Touch> {
        let touches = self.touches.pin();
        let taken: Vec<_> = touches
            .iter()
            .take(limit)
            .map(|(id, (owner, at))| Touch { id: *id, owner: owner.clone(), at: *at })
            .collect();
        taken.iter().for_each(|touch| _ = touches.remove(&touch.id));
        taken
    }

    /// The guests with an open event stream here.
    pub(super) fn streaming(&self) -> Vec<Arc<Guest>> {
        let mut guests = self.streaming.lock();
        guests.retain(|_, guests| {
            guests.retain(|guest| guest.upgrade().is_some_and(|guest| guest.streams().any_open()));
            !guests.is_empty()
        });
        guests.values().flatten().filter_map(Weak::upgrade).collect()
    }

    /// A guest of this session and owner that has an event stream here.
    pub(super) fn find_streaming(&self, id: SessionId, owner: &PodName) -> Option<Arc<Guest>> {
        self.streaming.lock().get(&id)?.iter().filter_map(Weak::upgrade).find(|guest| guest.owner() == owner)
    }

    /// The guests of a session that have an event stream or a WebSocket here.
    pub(super) fn of(&self, id: SessionId) -> Vec<Arc<Guest>> {
        self.streaming.lock().get(&id).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }

    /// Closes the streams of the guests of a session.
    pub(super) fn close(&self, id: SessionId, reason: CloseReason) {
        let guests = self.streaming.lock().remove(&id).unwrap_or_default();
        for guest in guests.iter().filter_map(Weak::upgrade) {
            guest.streams().close_all(reason);
        }
    }

    /// Records that a notice is reported to the owner. `false` where it was reported before.
    fn record_reported(&self, id: SessionId, reason: Reason) -> bool {
        let mut reported = self.reported_notices.lock();
        if reported.len() >= MAX_REPORTED_NOTICES {
            reported.clear();
        }
        reported.insert((id, reason))
    }
}

impl Sharing {
    /// Records a request of a guest. The writer reports it to the owner.
    pub(crate) fn touch_guest(&self, guest: &Guest, now: Timestamp) {
        self.guests.touch(guest.id(), guest.owner(), now);
    }

    /// Records that a guest has opened an event stream here.
    pub(crate) fn watch_guest(&self, guest: &Arc<Guest>) {
        let mut guests = self.guests.streaming.lock();
        let known = guests.entry(guest.id()).or_default();
        if !known.iter().any(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(guest))) {
            known.push(Arc::downgrade(guest));
        }
        drop(guests);
        self.update_protected_guests(guest.id());
    }

    /// Records that the user of a guest was shown the notice that runs on its owner. The owner counts it.
    pub(crate) fn mark_guest_notified(&self, guest: &Guest, reason: Reason) {
        if self.guests.record_reported(guest.id(), reason) {
            self.outbox.queue(guest.owner(), Message::Notified(guest.id(), reason));
        }
    }
}
