//! Performs claims: all that wait are written together, one batch for each purpose.

use std::collections::HashMap;
use std::sync::Arc;

use session_domain::SessionId;
use session_domain::registry::REPLACED_TTL;

use super::super::Sharing;
use super::super::hints::Hint;
use super::super::writer_request::{ClaimOutcome, ClaimPurpose, ClaimRequest};
use crate::sessions::live::LiveSession;
use crate::store::{Contents, OwnerRequest, Write, WriteOutcome};

/// Performs these claims and answers the callers.
pub(super) async fn perform(sharing: &Sharing, mut requests: Vec<ClaimRequest>) {
    requests.retain(|request| !request.done.is_closed());
    for purpose in [ClaimPurpose::End, ClaimPurpose::Rename, ClaimPurpose::Release] {
        let (same, others) = requests.into_iter().partition::<Vec<_>, _>(|request| request.purpose == purpose);
        requests = others;
        let sessions: Vec<_> = same.iter().flat_map(|request| request.sessions.iter().cloned()).collect();
        let mut outcomes = claim(sharing, &sessions, purpose).await.into_iter();
        for request in same {
            let answer = outcomes.by_ref().take(request.sessions.len()).collect();
            // A caller that has given up waiting needs no answer.
            let _ = request.done.send(answer);
        }
    }
}

async fn claim(sharing: &Sharing, sessions: &[LiveSession], purpose: ClaimPurpose) -> Vec<ClaimOutcome> {
    if sessions.is_empty() {
        return Vec::new();
    }
    // Noted before the claim: it finds the contents under which they were written, or others.
    let stored_epochs: Vec<_> = sessions.iter().map(|session| sharing.stored_epoch_of(session)).collect();
    let results = write(sharing, sessions, purpose, false).await;
    // A missing entry was deleted by another pod where a message says so; otherwise the store has lost it.
    let is_any_missing = results.contains(&WriteOutcome::Missing);
    let unread = if is_any_missing { sharing.unread_hints().await } else { None }.unwrap_or_default();
    let contents = if is_any_missing { contents(sharing).await } else { None };
    let now = sharing.clock.now();
    let is_settled = sharing.health.believes_leases(now);
    let has_lost_data = contents.is_none_or(|contents| sharing.health.has_lost_data(contents, now));
    let is_lost = |index: usize| {
        let was_ended = |contents| sharing.health.was_ended_since(stored_epochs[index], contents, now);
        has_lost_data && !contents.is_some_and(was_ended)
    };
    let outcome = |(index, session): (usize, &LiveSession)| match results.get(index) {
        Some(WriteOutcome::Done) => ClaimOutcome::Claimed,
        Some(WriteOutcome::NotOwner | WriteOutcome::Requested(OwnerRequest::Rename(_))) => ClaimOutcome::Moved,
        Some(WriteOutcome::Requested(OwnerRequest::End { automatic })) => {
            ClaimOutcome::LoggedOut { automatic: *automatic }
        }
        Some(WriteOutcome::Missing) => {
            missing(session, purpose, &unread, Doubt { is_settled, is_lost: is_lost(index) })
        }
        Some(WriteOutcome::Unavailable | WriteOutcome::Refused(_)) | None => ClaimOutcome::Unacknowledged,
    };
    let mut outcomes: Vec<_> = sessions.iter().enumerate().map(outcome).collect();
    let is_unwritten = |index: usize| {
        results.get(index) == Some(&WriteOutcome::Missing) && outcomes[index] == ClaimOutcome::Unacknowledged
    };
    let lost: Vec<_> = (0..sessions.len()).filter(|index| is_unwritten(*index)).collect();
    if !lost.is_empty() {
        // Released sessions that the store has lost are written anew.
        let again: Vec<_> = lost.iter().map(|index| Arc::clone(&sessions[*index])).collect();
        for (index, result) in lost.into_iter().zip(write(sharing, &again, purpose, true).await) {
            match result {
                WriteOutcome::Done => outcomes[index] = ClaimOutcome::Claimed,
                // The pod that adopted it has written it meanwhile.
                WriteOutcome::NotOwner => outcomes[index] = ClaimOutcome::Moved,
                _ => sessions[index].mark_lost(),
            }
        }
    }
    outcomes
}

/// How far the store is to be believed.
#[derive(Clone, Copy)]
struct Doubt {
    is_settled: bool,
    /// Whether the store has just lost its data, and the session may not have been written since.
    is_lost: bool,
}

/// The contents of the store; `None` where it does not answer.
async fn contents(sharing: &Sharing) -> Option<Contents> {
    sharing.health.record_read(sharing.store.contents().await, sharing.clock.now())
}

/// The outcome where the store has no entry of the session. [`ClaimOutcome::Unacknowledged`] where the store has lost it and it
/// is to be released: its entry has to be written anew for that.
fn missing(
    session: &LiveSession,
    purpose: ClaimPurpose,
    unread: &HashMap<SessionId, Hint>,
    doubt: Doubt,
) -> ClaimOutcome {
    match unread.get(&session.id()) {
        // A message may be from before this pod took the session back. Where the session goes on, it is kept then: a pod that holds
        // it, too, is asked to end it.
        Some(Hint::Adopted) if session.is_stored() && (purpose == ClaimPurpose::End || !doubt.is_lost) => {
            ClaimOutcome::Moved
        }
        // Another pod has adopted it meanwhile, and has done what was requested.
        Some(Hint::Requested(OwnerRequest::End { .. })) if doubt.is_settled && session.is_stored() => {
            ClaimOutcome::Moved
        }
        Some(Hint::Requested(OwnerRequest::End { automatic })) => ClaimOutcome::LoggedOut { automatic: *automatic },
        Some(_) | None if purpose != ClaimPurpose::Release => ClaimOutcome::Claimed,
        Some(_) | None => ClaimOutcome::Unacknowledged,
    }
}

async fn write(sharing: &Sharing, sessions: &[LiveSession], purpose: ClaimPurpose, is_lost: bool) -> Vec<WriteOutcome> {
    let now = sharing.clock.now();
    let end = |id, replaced_for| Write::ClaimEnd { id, pod: sharing.config.pod.clone(), replaced_for };
    let write = |session: &LiveSession| match purpose {
        ClaimPurpose::End => end(session.id(), None),
        ClaimPurpose::Rename => end(session.id(), Some(REPLACED_TTL)),
        ClaimPurpose::Release => {
            let mut shared = sharing.shared_session(session);
            shared.pinned = false;
            let idle = now.since(shared.last_activity);
            Write::Release { session: shared, idle, new: is_lost || !session.is_stored() }
        }
    };
    let writes = sessions.iter().map(write).collect();
    sharing.health.record_write(sharing.store.write(writes).await, now).unwrap_or_default()
}
