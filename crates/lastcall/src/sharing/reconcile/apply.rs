//! What follows for a session of this pod from what the store says of it.

use std::sync::Arc;

use session_domain::registry::OwnershipMark;
use session_domain::{PodName, SessionId, Timestamp};

use super::super::Sharing;
use super::super::hints::Hint;
use crate::sessions::live::{self, LiveSession};
use crate::store::{Adoption, Lookup, Message, OwnerRequest, ReadOutcome, Summary, Write};

/// What was looked up, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) id: SessionId,
    pub(super) asked: Timestamp,
    /// Taken before the store was asked.
    pub(super) mark: Option<OwnershipMark>,
    pub(super) hint: Hint,
    /// Whether the store has lost nothing: what is absent was ended.
    pub(super) believes_absence: bool,
    /// Whether the store has just lost its data, and the session may not have been written since. Where it was, what is absent was
    /// ended.
    pub(super) is_lost: bool,
}

/// Acts on the lookup of a session of this pod. `false` where that was not possible.
pub(super) async fn own(sharing: &Arc<Sharing>, session: &LiveSession, question: Question, lookup: Lookup) -> bool {
    let log_out = |automatic| _ = live::log_out(&sharing.registry, session, automatic);
    match (lookup, question.hint) {
        (Lookup::Unavailable, _) => return false,
        (Lookup::Found(Summary { pod, .. }), hint) if pod != sharing.config.pod => {
            if hint != Hint::Adopted && sharing.health.may_be_behind(sharing.clock.now()) {
                return reclaim(sharing, session, question.id, pod).await;
            }
            return sharing.end_as_moved(session, question.mark).is_ok();
        }
        (Lookup::Found(Summary { request: Some(OwnerRequest::End { automatic }), .. }), _) => log_out(automatic),
        (Lookup::Found(Summary { request: Some(OwnerRequest::Rename(new)), .. }), _) => {
            return rename(sharing, session, question.id, new).await;
        }
        // Another pod has adopted it meanwhile, and has done what was requested.
        (Lookup::Absent, Hint::Requested(OwnerRequest::End { .. }))
            if question.believes_absence && session.is_stored() =>
        {
            return sharing.end_as_moved(session, question.mark).is_ok();
        }
        // The entry was lost with the request in it, and is written again.
        (Lookup::Found(_) | Lookup::Absent, Hint::Requested(OwnerRequest::End { automatic })) => log_out(automatic),
        (Lookup::Absent, Hint::Requested(OwnerRequest::Rename(new))) => {
            return rename(sharing, session, question.id, new).await;
        }
        (Lookup::Found(Summary { idle, .. }), hint) => {
            session.record_activity(question.asked.minus(idle));
            if hint == Hint::Active {
                // A request with its cookie came in there.
                session.mark_cookie_returned();
            }
        }
        // The store has lost it. The message may be from before this pod took the session back, and this pod the last that holds
        // it: it is written here, too. Where the pod that adopted it writes it first, or has ended it, this pod learns that.
        (Lookup::Absent, Hint::Adopted) if question.is_lost => {
            sharing.rewrite_lost(session);
            return false;
        }
        // It has ended there since.
        (Lookup::Absent, Hint::Adopted) => return sharing.end_as_moved(session, question.mark).is_ok(),
        (Lookup::Absent, Hint::Active | Hint::None) if session.is_stored() => sharing.record_missing(session),
        // Not written yet.
        (Lookup::Absent, Hint::Active | Hint::None) => {}
    }
    true
}

/// Acts on the lookup of a session that this pod does not hold: it has moved or ended. A released session whose user has logged
/// out before another pod adopted it is this pod's to end. `false` where that is undecided.
pub(super) async fn not_held(sharing: &Sharing, id: SessionId, hint: Hint, lookup: &Lookup) -> bool {
    let is_own = match lookup {
        Lookup::Found(found) => found.pod == sharing.config.pod,
        Lookup::Absent => false,
        Lookup::Unavailable => return false,
    };
    // A session that has ended here is counted, and its entry is deleted as soon as that is written.
    let is_released = is_own && !sharing.registry.has_tombstone(id);
    if is_released && matches!(hint, Hint::Requested(OwnerRequest::End { .. })) {
        sharing.end_released(id).await;
    }
    true
}

/// Takes back the entry of a session that this pod holds. A store that has just returned names another owner: it may be behind,
/// from before this pod adopted the session. The other pod gets a message.
async fn reclaim(sharing: &Sharing, session: &LiveSession, id: SessionId, named: PodName) -> bool {
    // Until the store has answered, nothing that was read before ends the session: it would name the other pod while that pod
    // is told to let go.
    let Some(_reclaim) = session.begin_reclaim() else { return true };
    let pinned = session.is_pinned();
    let to = sharing.config.pod.clone();
    let adoption = Adoption { id, from: named.clone(), to, unless_pinned: false, pinned };
    let adopted = sharing.health.record_write(sharing.store.adopt(&adoption).await, sharing.clock.now());
    let Some(Some(_)) = adopted else { return false };
    sharing.send(&named, &Message::Adopted(id)).await;
    sharing.registry.queue_write(session);
    true
}

/// Gives a session the id `id`: a guest's user has signed in on another pod. `false` where that was not possible.
async fn rename(sharing: &Arc<Sharing>, session: &LiveSession, old: SessionId, id: SessionId) -> bool {
    let mark = session.ownership_mark();
    // A request looks it up right now.
    let Ok(_lock) = sharing.adoptions.of(id).try_lock() else { return false };
    if session.id() != old {
        return true;
    }
    let was_here = sharing.registry.get(id).is_some() || sharing.registry.has_tombstone(id);
    let read = sharing.health.record_read(sharing.store.read(id).await, sharing.clock.now());
    match read {
        None => return false,
        Some(ReadOutcome::Found(entry)) if !was_here && entry.session.pod == sharing.config.pod => {
            if live::sign_in(&sharing.registry, session, id, entry.session.user, sharing.clock.now()) {
                // The guest's pod has written it: where it is missing from now on, another pod has ended it.
                session.mark_stored(id);
                sharing.tasks_renamed(session, old);
            }
        }
        Some(ReadOutcome::Absent(contents)) if !sharing.health.believes_absence(contents, sharing.clock.now()) => {
            return false;
        }
        // Its user was faster with the new cookie: the session is here already, on another pod, or has ended again.
        Some(ReadOutcome::Found(_) | ReadOutcome::Absent(_) | ReadOutcome::Replaced) => {
            if sharing.end_as_moved(session, mark).is_err() {
                return false;
            }
            sharing.write_now(Write::Delete { id: old, pod: sharing.config.pod.clone(), replaced_for: None }).await;
        }
    }
    true
}
