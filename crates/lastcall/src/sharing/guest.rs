//! What a guest does that only its owner may: the owner is asked, through the session's entry, and called.

use std::sync::Arc;
use std::time::Duration;

use session_domain::{SessionId, UserName};
use tokio::time::timeout;

use super::Sharing;
use crate::pod::{Live, Pod};
use crate::store::{Wish, Write, Written};
use crate::streams::End;

/// A guest waits so long for its wish to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// The user of a guest leaves. Counted by the owner, once it has heard. What cannot be written now is kept.
pub(super) async fn end(pod: &Pod, guest: &Live, automatic: bool) {
    let Some(sharing) = pod.sharing.as_ref().filter(|_| guest.is_guest()) else { return };
    // One that this pod has released is nobody's: there is no owner to be asked.
    let end = if guest.home() == Some(&pod.config.pod) {
        Write::Delete { id: guest.id(), pod: pod.config.pod.clone() }
    } else {
        Write::Wish { id: guest.id(), wish: Wish::End { automatic } }
    };
    if sharing.is_up() && write(pod, sharing, vec![end]).await {
        call(pod, sharing, guest).await;
    } else {
        end_later(pod, guest.id(), automatic);
    }
    guest.attachment().end(End::Logout);
}

/// The user of a session that cannot be looked for now leaves: it is dead here at once, and ended wherever it lives as soon
/// as that can be said.
pub(super) fn end_later(pod: &Pod, id: SessionId, automatic: bool) {
    let Some(sharing) = &pod.sharing else { return };
    pod.sessions.depart(id);
    sharing.end_later(id, automatic);
}

/// The user of a guest signs in: the session goes on under another id, at its owner. `false` where that could not be
/// written, or the session is no guest.
pub(super) async fn rename(pod: &Arc<Pod>, guest: &Live, id: SessionId, user: &UserName) -> bool {
    let Some(sharing) = asked(pod, guest) else { return false };
    let renamed =
        session_domain::shared::SharedSession { id, user: user.clone(), streaming: true, ..pod.shared(guest) };
    // In this order: a wish for an entry that is not there could not be fulfilled.
    let put = Write::Put { session: renamed, idle: Duration::ZERO, new: true };
    if !write(pod, sharing, vec![put]).await {
        return false;
    }
    let wish = Write::Wish { id: guest.id(), wish: Wish::Rename(id) };
    let Ok(answer) = timeout(PATIENCE, sharing.store.write(vec![wish])).await else { return false };
    match sharing.heard(answer, pod.clock.now()).as_deref() {
        Some([Written::Done]) => {
            call(pod, sharing, guest).await;
            true
        }
        // It has ended meanwhile: what was written for it is nobody's.
        Some([Written::Missing]) => {
            let owner = guest.home().unwrap_or(&pod.config.pod).clone();
            write(pod, sharing, vec![Write::Delete { id, pod: owner }]).await;
            false
        }
        Some(_) | None => false,
    }
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
