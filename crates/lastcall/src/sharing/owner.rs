//! What the owner of a session does: it takes the entry out of the store before it ends or renames the session, and learns
//! in the same step whether another pod has it by then. So a session ends on one pod only.

use std::sync::Arc;
use std::time::Duration;

use session_domain::{Outcome, SessionId, UserName};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Arrival, WRITE_THROUGH, arrive, guest, to_the_end};
use crate::driver::end_streams;
use crate::pod::{Live, Pod};
use crate::store::{Write, Written};
use crate::streams::End;

/// Many sessions that end together are taken out within this time; who is left then ends all the same.
const TAKE_OUT: Duration = Duration::from_secs(2);

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
    if take_out(pod, session).await {
        pod.log_out(session, automatic);
        pod.written().await;
        return;
    }
    match as_it_is_now(pod, session).await {
        Arrival::Found(session) => match pod.log_out(&session, automatic) {
            Some(_) => pod.written().await,
            None => guest::end(pod, &session, automatic).await,
        },
        Arrival::Unclear => guest::end_later(pod, session.id(), automatic),
        Arrival::Nowhere => {}
    }
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
    if take_out(pod, session).await {
        return pod.sign_in(session, id, user.clone());
    }
    let Arrival::Found(session) = as_it_is_now(pod, session).await else { return false };
    pod.sign_in(&session, id, user.clone()) || guest::rename(pod, &session, id, user).await
}

/// A session that another pod has taken over, or that was a guest from the start.
async fn as_it_is_now(pod: &Arc<Pod>, session: &Live) -> Arrival {
    if session.is_guest() { Arrival::Found(Arc::clone(session)) } else { arrive(pod, session.id(), false).await }
}

/// Ends these sessions with `outcome`, but for those that live on another pod by now or for which `still` does not hold
/// any more once nobody else can have them.
pub(crate) async fn end_all(
    pod: &Arc<Pod>,
    sessions: Vec<Live>,
    outcome: Outcome,
    end: End,
    still: impl Fn(&Live) -> bool,
) -> usize {
    let (ends, goes_on): (Vec<_>, Vec<_>) = take_out_all(pod, sessions).await.into_iter().partition(still);
    goes_on.iter().for_each(|session| pod.write_anew(session));
    let ended = pod.sessions.end_all(ends, outcome);
    end_streams(&ended, end);
    ended.len()
}

/// Takes the session's id out of the store, so that nobody else has it any more. `false` where another pod has it already,
/// and nothing was done. Where the store is away, nobody else can have taken it since.
async fn take_out(pod: &Pod, session: &Live) -> bool {
    let Some(sharing) = pod.sharing.as_ref().filter(|sharing| sharing.is_up() && !session.is_guest()) else {
        return !session.is_guest();
    };
    let Ok(answer) = timeout(WRITE_THROUGH, sharing.store.write(vec![delete(pod, session)])).await else { return true };
    let elsewhere = sharing.heard(answer, pod.clock.now()).is_some_and(|results| results.contains(&Written::Elsewhere));
    if elsewhere {
        pod.let_move(session);
    }
    !elsewhere
}

/// Takes many out, and gives those that no other pod has.
async fn take_out_all(pod: &Pod, sessions: Vec<Live>) -> Vec<Live> {
    let Some(sharing) = pod.sharing.as_ref().filter(|sharing| sharing.is_up()) else { return sessions };
    let deadline = Instant::now() + TAKE_OUT;
    let mut ours = Vec::with_capacity(sessions.len());
    for part in sessions.chunks(BATCH) {
        let writes = part.iter().map(|session| delete(pod, session)).collect();
        let answer = timeout_at(deadline, sharing.store.write(writes)).await.ok();
        let results = answer.and_then(|answer| sharing.heard(answer, pod.clock.now())).unwrap_or_default();
        for (index, session) in part.iter().enumerate() {
            if results.get(index) == Some(&Written::Elsewhere) {
                pod.let_move(session);
            } else {
                ours.push(Arc::clone(session));
            }
        }
    }
    ours
}

fn delete(pod: &Pod, session: &Live) -> Write {
    Write::Delete { id: session.id(), pod: pod.config.pod.clone() }
}
