//! Looks after guests with a stream here: their owner's notice is theirs, and their streams end when their session does.

use std::collections::HashMap;
use std::sync::Arc;

use session_domain::PodName;
use session_domain::shared::{Adopts, Owner};

use super::super::{Guest, Sharing};
use crate::notice::GuestNotice;
use crate::store::{Lookup, OwnerRequest, Summary};
use crate::streams::CloseReason;

/// Guests that are looked at each time, at the most: the others come next.
const BATCH: usize = 1_000;

/// How many looks at the owners make one look at the sessions.
const LOOKS_A_ROUND: u32 = 3;

/// Where the watch over the guests has come to.
#[derive(Debug, Default)]
pub(super) struct Watch {
    looks: u32,
    next: usize,
}

impl Watch {
    /// Tells the guests' streams what their owners say, and in turn whether their sessions are still theirs.
    pub(super) async fn look(&mut self, sharing: &Arc<Sharing>) {
        let guests = sharing.streaming_guests();
        if guests.is_empty() {
            return;
        }
        let Some(owners) = owners(sharing, &guests).await else { return };
        for guest in &guests {
            let owner = owners.get(guest.owner()).copied().unwrap_or(Owner::Unknown);
            follow(sharing, guest, owner);
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LOOKS_A_ROUND) {
            self.next = if self.next >= guests.len() { 0 } else { self.next };
            let part = &guests[self.next..guests.len().min(self.next + BATCH)];
            self.next += part.len();
            look_at(sharing, part).await;
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
/// this pod adopts nothing the stream stays, and shows what the owner says.
fn follow(sharing: &Sharing, guest: &Guest, owner: Owner) {
    let now = sharing.clock.now();
    match (owner, sharing.adopts()) {
        (Owner::Draining(_) | Owner::Gone, Adopts::Yes) => guest.streams().close_all(CloseReason::Moved),
        (Owner::Alive(notice) | Owner::Draining(notice), _) => {
            guest.streams().set_owner_notice(notice.map(|notice| GuestNotice::new(notice, now)));
        }
        (Owner::Gone, Adopts::No | Adopts::Closed) => guest.streams().set_owner_notice(None),
        // What it said last still holds.
        (Owner::Unknown, _) => {}
    }
}

async fn look_at(sharing: &Sharing, guests: &[Arc<Guest>]) {
    let ids = guests.iter().map(|guest| guest.id()).collect();
    let now = sharing.clock.now();
    let Some(answer) = sharing.health.read(sharing.store.lookup_many(ids).await, now) else { return };
    let absence_is_true = answer.contents.is_some_and(|contents| sharing.health.believes_absence(contents, now));
    for (guest, lookup) in guests.iter().zip(answer.lookups) {
        match lookup {
            Lookup::Found(Summary { request: Some(OwnerRequest::End { .. }), .. }) => {
                guest.streams().close_all(CloseReason::Logout);
            }
            Lookup::Absent if absence_is_true => guest.streams().close_all(CloseReason::Logout),
            Lookup::Found(Summary { request: Some(OwnerRequest::Rename(_)), .. }) => {
                guest.streams().close_all(CloseReason::Moved);
            }
            Lookup::Found(Summary { pod, .. }) if pod != *guest.owner() => {
                guest.streams().close_all(CloseReason::Moved);
            }
            Lookup::Found(_) | Lookup::Absent | Lookup::Unknown => {}
        }
    }
}
