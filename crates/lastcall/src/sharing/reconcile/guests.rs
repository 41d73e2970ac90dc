//! Follows the guests with a stream here, and the sessions that have moved away from a WebSocket here. Guests show their owner's notice
//! and whether work is in progress there, and their streams end when their session does.

use std::collections::HashMap;
use std::sync::Arc;

use session_domain::PodName;
use session_domain::shared::{Adopts, Owner};

use super::super::Sharing;
use crate::event_streams::CloseReason;
use crate::notice::GuestNotice;
use crate::sessions::guest::Guest;
use crate::store::{Lookup, OwnerRequest, Summary};

/// Guests whose sessions are compared each time, at most. The others come next.
const BATCH: usize = 1_000;

/// Sessions are compared once in this many comparisons of their owners, as long as none of these has a notice.
const OWNER_CHECKS_PER_SESSION_CHECK: u32 = 3;

/// How far the comparison of guests has come.
#[derive(Debug, Default)]
pub(super) struct GuestWatch {
    owner_checks: u32,
    next: usize,
}

impl GuestWatch {
    /// Compares the guests' owners, and in turn their sessions, with the store.
    pub(super) async fn compare(&mut self, sharing: &Arc<Sharing>) {
        compare_moved(sharing).await;
        let guests = sharing.guests.streaming();
        if guests.is_empty() {
            return;
        }
        let Some(owners) = owners(sharing, &guests).await else { return };
        for guest in &guests {
            let owner = owners.get(guest.owner()).copied().unwrap_or(Owner::Unknown);
            apply_owner(sharing, guest, owner);
        }
        self.owner_checks = self.owner_checks.wrapping_add(1);
        // While a countdown runs, pages have to learn soon of work that begins or ends.
        let is_urgent = guests.iter().any(|guest| guest.streams().owner_notice().is_some());
        if is_urgent || self.owner_checks.is_multiple_of(OWNER_CHECKS_PER_SESSION_CHECK) {
            self.next = if self.next >= guests.len() { 0 } else { self.next };
            let batch = &guests[self.next..guests.len().min(self.next + BATCH)];
            self.next += batch.len();
            compare_sessions(sharing, batch).await;
        }
    }
}

async fn owners(sharing: &Sharing, guests: &[Arc<Guest>]) -> Option<HashMap<PodName, Owner>> {
    let mut owners = HashMap::new();
    for guest in guests {
        if !owners.contains_key(guest.owner()) {
            owners.insert(guest.owner().clone(), sharing.owner(guest.owner()).await?);
        }
    }
    Some(owners)
}

/// A session whose owner drains or is gone can live here: its page opens the stream again, and the session is adopted. Where
/// this pod adopts no sessions the stream stays, and shows the owner's notice.
fn apply_owner(sharing: &Sharing, guest: &Guest, owner: Owner) {
    let now = sharing.clock.now();
    match (owner, sharing.adopts()) {
        (Owner::Draining(_) | Owner::Gone, Adopts::Yes) => guest.streams().close_all(CloseReason::Moved),
        (Owner::Alive(notice) | Owner::Draining(notice), _) => {
            guest.streams().set_owner_notice(notice.map(|notice| GuestNotice::new(notice, now)));
        }
        (Owner::Gone, Adopts::No | Adopts::Closed) => guest.streams().set_owner_notice(None),
        // The last notice still holds.
        (Owner::Unknown, _) => {}
    }
}

/// The WebSockets of sessions that have moved to another pod stay open while this pod stops, and are closed when the session ends
/// there. One whose session got another id by a login is closed, too: its user may be another one.
async fn compare_moved(sharing: &Arc<Sharing>) {
    for sessions in sharing.moved_with_streams().chunks(BATCH) {
        let ids = sessions.iter().map(|session| session.id()).collect();
        let now = sharing.clock.now();
        let Some(answer) = sharing.health.record_read(sharing.store.lookup_many(ids).await, now) else { return };
        let believes_absence = answer.contents.is_some_and(|contents| sharing.health.believes_absence(contents, now));
        for (session, lookup) in sessions.iter().zip(answer.lookups) {
            let has_ended = match lookup {
                Lookup::Absent => believes_absence,
                Lookup::Found(Summary {
                    request: Some(OwnerRequest::End { .. } | OwnerRequest::Rename(_)), ..
                }) => true,
                Lookup::Found(_) | Lookup::Unavailable => false,
            };
            if has_ended {
                session.attachment().close_all(CloseReason::Logout);
            }
        }
    }
}

async fn compare_sessions(sharing: &Sharing, guests: &[Arc<Guest>]) {
    let ids = guests.iter().map(|guest| guest.id()).collect();
    let now = sharing.clock.now();
    let Some(answer) = sharing.health.record_read(sharing.store.lookup_many(ids).await, now) else { return };
    let believes_absence = answer.contents.is_some_and(|contents| sharing.health.believes_absence(contents, now));
    for (guest, lookup) in guests.iter().zip(answer.lookups) {
        match lookup {
            Lookup::Found(Summary { request: Some(OwnerRequest::End { .. }), .. }) => {
                guest.streams().close_all(CloseReason::Logout);
            }
            Lookup::Absent if believes_absence => guest.streams().close_all(CloseReason::Logout),
            Lookup::Found(Summary { request: Some(OwnerRequest::Rename(_)), .. }) => {
                guest.streams().close_all(CloseReason::Moved);
            }
            Lookup::Found(Summary { pod, .. }) if pod != *guest.owner() => {
                guest.streams().close_all(CloseReason::Moved);
            }
            Lookup::Found(Summary { protected, .. }) => guest.streams().set_owner_protects(protected),
            Lookup::Absent | Lookup::Unavailable => {}
        }
    }
}
