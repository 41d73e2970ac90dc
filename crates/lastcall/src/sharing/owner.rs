//! What the owner of a session does: it takes the entry out of the store before it ends or renames the session, and learns
//! in the same step whether another pod has it by then. So a session ends on one pod only.

use std::sync::Arc;
use std::time::Duration;

use session_domain::{Outcome, SessionId, UserName};
use tokio::time::Instant;

use super::{Arrival, Sharing, WRITE_THROUGH, arrive, guest, to_the_end};
use crate::driver::end_streams;
use crate::pod::{Live, Pod};
use crate::store::{Write, Written};
use crate::streams::End;

/// Many sessions that end together are taken out within this time; who is left then ends all the same. Nothing else is done
/// meanwhile, and it comes on top of a drain's own times.
const TAKE_OUT: Duration = Duration::from_millis(500);

/// Others may take a session while we decide: it is looked for anew, so often.
const TRIES: usize = 4;

/// Sessions that are taken out with one question.
const BATCH: usize = 500;

/// Ends a session because its user leaves, wherever it lives by now.
pub(crate) async fn log_out(pod: &Arc<Pod>, session: &Live, automatic: bool) {
    if pod.sharing.is_none() {
        pod.log_out(session, automatic);
        return;
    }
    let (pod, session) = (Arc::clone(pod), Arc::clone(session));
    to_the_end(async move { log_out_shared(&pod, &session, automatic).await }).await;
}

async fn log_out_shared(pod: &Arc<Pod>, session: &Live, automatic: bool) {
    let mut session = Arc::clone(session);
    for _ in 0..TRIES {
        if session.is_guest() {
            return guest::end(pod, &session, automatic).await;
        }
        if take_out_one(pod, &session).await {
            pod.log_out(&session, automatic);
            return pod.written().await;
        }
        match arrive(pod, session.id(), false).await {
            Arrival::Found(found) => session = found,
            Arrival::Nowhere => return,
            Arrival::Unclear { .. } => break,
        }
    }
    guest::end_later(pod, session.id(), automatic);
}

/// Names a session's user, wherever it lives by now. `false` where it has ended.
pub(crate) async fn sign_in(pod: &Arc<Pod>, session: &Live, id: SessionId, user: &UserName) -> bool {
    if pod.sharing.is_none() {
        return pod.sign_in(session, id, user.clone());
    }
    let (pod, session, user) = (Arc::clone(pod), Arc::clone(session), user.clone());
    to_the_end(async move { sign_in_shared(&pod, &session, id, &user).await }).await.unwrap_or(false)
}

async fn sign_in_shared(pod: &Arc<Pod>, session: &Live, id: SessionId, user: &UserName) -> bool {
    let mut session = Arc::clone(session);
    for _ in 0..TRIES {
        if session.is_guest() {
            return guest::rename(pod, &session, id, user).await;
        }
        if take_out_one(pod, &session).await {
            return pod.sign_in(&session, id, user.clone());
        }
        let Arrival::Found(found) = arrive(pod, session.id(), false).await else { return false };
        session = found;
    }
    false
}

/// Ends these sessions with `outcome`, but for those that live on another pod by now or for which `still` does not hold
/// any more once nobody else can have them. Gives how many that were.
pub(crate) async fn end_all(
    pod: &Arc<Pod>,
    sessions: Vec<Live>,
    outcome: Outcome,
    end: End,
    still: impl Fn(&Live) -> bool,
) -> usize {
    let deadline = Instant::now() + TAKE_OUT;
    let mut count = 0;
    // Each part ends before the next is taken out: nobody may miss the entry of a session that still lives.
    for part in sessions.chunks(BATCH) {
        let ours = match &pod.sharing {
            Some(sharing) => sharing.take_out(part.to_vec(), deadline - Instant::now()).await,
            None => part.to_vec(),
        };
        let (ends, goes_on): (Vec<_>, Vec<_>) = ours.into_iter().partition(&still);
        goes_on.iter().for_each(|session| pod.write_anew(session));
        let ended = pod.sessions.end_all(ends, outcome);
        end_streams(&ended, end);
        count += ended.len();
    }
    count
}

/// Takes one out; `false` where another pod has it, or had it and has ended it.
async fn take_out_one(pod: &Pod, session: &Live) -> bool {
    match &pod.sharing {
        Some(sharing) => !sharing.take_out(vec![Arc::clone(session)], WRITE_THROUGH).await.is_empty(),
        None => true,
    }
}

/// What [`Sharing::take_out`] asks for; done by the writer, so that nothing that it wrote before comes after.
pub(super) async fn take_out(pod: &Pod, sharing: &Sharing, sessions: Vec<Live>) -> Vec<Live> {
    let own = |session: &Live| Write::TakeOut { id: session.id(), pod: pod.config.pod.clone() };
    let writes = sessions.iter().map(own).collect();
    let results = sharing.heard(sharing.store.write(writes).await, pod.clock.now()).unwrap_or_default();
    let is_gone = |index: usize, session: &Live| results.get(index) == Some(&Written::Missing) && session.is_stored();
    // What should be there and is not was ended elsewhere, if we were called for it; else the store has lost it.
    let called = if sessions.iter().enumerate().any(|(index, session)| is_gone(index, session)) {
        sharing.heard(sharing.store.calls(&pod.config.pod).await, pod.clock.now()).unwrap_or_default().ids
    } else {
        Vec::new()
    };
    let mut ours = Vec::with_capacity(sessions.len());
    for (index, session) in sessions.into_iter().enumerate() {
        let moved = results.get(index) == Some(&Written::Elsewhere)
            || is_gone(index, &session) && called.contains(&session.id());
        if moved {
            pod.let_move(&session);
        } else {
            ours.push(session);
        }
    }
    ours
}
