//! What a guest does that only its owner may: the owner is asked, through the session's entry, and called.

use std::sync::Arc;
use std::time::Duration;

use session_domain::{SessionId, UserName};
use tokio::time::timeout;

use super::{Sharing, WRITE_THROUGH};
use crate::pod::{Live, Pod};
use crate::store::{Wish, Write, Written};
use crate::streams::End;

/// A guest waits so long for its wish to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// The user of a guest leaves. Counted by the owner, once it has heard.
pub(super) async fn end(pod: &Pod, guest: &Live, automatic: bool) {
    let Some(sharing) = asked(pod, guest) else { return };
    // One that this pod has released is nobody's: there is no owner to be asked.
    let end = if guest.home() == Some(&pod.config.pod) {
        Write::Delete { id: guest.id(), pod: pod.config.pod.clone() }
    } else {
        Write::Wish { id: guest.id(), wish: Wish::End { automatic } }
    };
    if write(pod, sharing, vec![end]).await {
        guest.attachment().end(End::Logout);
        call(pod, sharing, guest).await;
    }
}

/// The user of a guest signs in: the session goes on under another id, at its owner. `false` where that could not be
/// written, or the session is no guest.
pub(super) async fn rename(pod: &Arc<Pod>, guest: &Live, id: SessionId, user: &UserName) -> bool {
    let Some(sharing) = asked(pod, guest) else { return false };
    let renamed =
        session_domain::shared::SharedSession { id, user: user.clone(), streaming: true, ..pod.shared(guest) };
    // In this order: a wish for an entry that is not there could not be fulfilled.
    let written = write(pod, sharing, vec![Write::Put { session: renamed, new: true }]).await
        && write(pod, sharing, vec![Write::Wish { id: guest.id(), wish: Wish::Rename(id) }]).await;
    if written {
        call(pod, sharing, guest).await;
    }
    written
}

/// Takes the session's id out of the store, so that nobody else has it any more. `false` where another pod has it already,
/// and nothing was done. Where the store is away, nobody else can have taken it since.
pub(super) async fn take_out(pod: &Pod, session: &Live) -> bool {
    let Some(sharing) = pod.sharing.as_ref().filter(|sharing| sharing.is_up() && !session.is_guest()) else {
        return !session.is_guest();
    };
    let delete = Write::Delete { id: session.id(), pod: pod.config.pod.clone() };
    let Ok(answer) = timeout(WRITE_THROUGH, sharing.store.write(vec![delete])).await else { return true };
    let elsewhere = sharing.heard(answer, pod.clock.now()).is_some_and(|results| results.contains(&Written::Elsewhere));
    if elsewhere {
        pod.let_move(session);
    }
    !elsewhere
}

fn asked<'a>(pod: &'a Pod, guest: &Live) -> Option<&'a Sharing> {
    pod.sharing.as_ref().filter(|sharing| guest.is_guest() && sharing.is_up())
}

async fn write(pod: &Pod, sharing: &Sharing, writes: Vec<Write>) -> bool {
    let Ok(answer) = timeout(PATIENCE, sharing.store.write(writes)).await else { return false };
    let results = sharing.heard(answer, pod.clock.now());
    results.is_some_and(|results| results.iter().all(|result| *result == Written::Done))
}

async fn call(pod: &Pod, sharing: &Sharing, guest: &Live) {
    if let Some(owner) = guest.home() {
        sharing.heard(sharing.store.call(owner, guest.id()).await, pod.clock.now());
    }
}
