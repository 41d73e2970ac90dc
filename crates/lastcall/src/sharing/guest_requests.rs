//! What the owner of a guest is asked to do: end the session, or give it another id.

use std::time::Duration;

use session_domain::{SessionId, UserName};

use super::Sharing;
use crate::event_streams::CloseReason;
use crate::sessions::guest::Guest;
use crate::sessions::outcome::SignInOutcome;
use crate::store::{Message, OwnerRequest, Write, WriteOutcome};

impl Sharing {
    /// Asks the owner to end a guest whose user logs out. The owner counts the logout. What cannot be written now is kept.
    pub(super) async fn request_logout(&self, guest: &Guest, automatic: bool) {
        let request = OwnerRequest::End { automatic };
        match self.write_now(Write::Request { id: guest.id(), request }).await {
            Some(WriteOutcome::Done) => self.send(guest.owner(), &Message::Requested(guest.id(), request)).await,
            // It has just ended, or the store has lost it: the owner gets the message in either case.
            Some(WriteOutcome::Missing) => {
                self.queue_logout(guest.id(), automatic);
                self.send(guest.owner(), &Message::Requested(guest.id(), request)).await;
            }
            Some(
                WriteOutcome::NotOwner
                | WriteOutcome::Requested(_)
                | WriteOutcome::Unavailable
                | WriteOutcome::Refused(_),
            )
            | None => self.queue_logout(guest.id(), automatic),
        }
        guest.streams().close_all(CloseReason::Logout);
        self.guests.close(guest.id(), CloseReason::Logout);
    }

    /// Asks the owner to give a guest whose user signs in another id.
    pub(super) async fn request_rename(&self, guest: &Guest, id: SessionId, user: &UserName) -> SignInOutcome {
        // The entry is written before the request: a request for an entry that does not exist could not be fulfilled.
        let put = Write::Put { session: guest.renamed(id, user.clone()), idle: Duration::ZERO, new: true };
        if self.write_now(put).await != Some(WriteOutcome::Done) {
            return SignInOutcome::Unavailable;
        }
        let request = OwnerRequest::Rename(id);
        match self.write_now(Write::Request { id: guest.id(), request }).await {
            Some(WriteOutcome::Done) => {
                self.registry.record_replaced(guest.id(), self.clock.now());
                self.rename_work(guest.id(), id);
                self.send(guest.owner(), &Message::Requested(guest.id(), request)).await;
                SignInOutcome::Done
            }
            // It has ended meanwhile: the new entry belongs to no session.
            Some(WriteOutcome::Missing) => {
                self.write_now(Write::Delete { id, pod: guest.owner().clone(), replaced_for: None }).await;
                SignInOutcome::Ended
            }
            // The request may be written or not. The new id is valid, and the owner is asked again.
            Some(WriteOutcome::Unavailable) | None => {
                self.registry.record_replaced(guest.id(), self.clock.now());
                self.queue_request(guest.id(), request);
                SignInOutcome::Done
            }
            Some(WriteOutcome::NotOwner | WriteOutcome::Requested(_) | WriteOutcome::Refused(_)) => {
                SignInOutcome::Unavailable
            }
        }
    }
}
