//! A session that this pod does not hold comes along.

use std::sync::Arc;
use std::time::Duration;

use session_domain::lifecycle::Reason;
use session_domain::shared::{Claim, Owner, SharedSession, claim};
use session_domain::{Outcome, SessionId};
use tokio::time::timeout;

use super::{ARRIVAL, Arrival, Sharing, owner};
use crate::pod::{Live, Pod};
use crate::store::{Adoption, Entry};
use crate::streams::{End, Streams};

/// Others may take a session while we decide: it is decided anew, so often.
const TRIES: usize = 4;

/// A stream that was asked for is open within this time, or will not be.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// Finds the session in the store: adopts it, or gives it as a guest. `streaming` says that the request opens an event
/// stream.
///
/// First sights of one session take turns, so that a page's ten requests make one adoption.
pub(super) async fn arrive(pod: &Arc<Pod>, id: SessionId, streaming: bool) -> Arrival {
    let Some(sharing) = &pod.sharing else { return Arrival::Nowhere };
    let Ok(_turn) = timeout(ARRIVAL, sharing.turn(id).lock()).await else { return Arrival::Unclear { wait: true } };
    let outlived = pod.sessions.get(id).filter(|session| pod.sessions.has_outlived(session, pod.clock.now()));
    if let Some(outlived) = outlived {
        let still = |session: &Live| pod.sessions.has_outlived(session, pod.clock.now());
        owner::end_all(pod, vec![outlived], Outcome::Expired, End::Expired, still).await;
    }
    let found = if sharing.is_up() { search(pod, sharing, id, streaming).await } else { None };
    match found {
        Some(arrival) => arrival,
        None if pod.sessions.has_departed(id) => Arrival::Nowhere,
        // While an outage is young, nobody begins anew for want of an answer; in a long one life goes on without it.
        None => Arrival::Unclear { wait: sharing.standing.is_worth_waiting_for(pod.clock.now()) },
    }
}

/// `None` where the store does not answer.
async fn search(pod: &Arc<Pod>, sharing: &Sharing, id: SessionId, streaming: bool) -> Option<Arrival> {
    let mut guest = None;
    for _ in 0..TRIES {
        if let Some(live) = pod.sessions.find(id, pod.clock.now()) {
            return Some(Arrival::Found(live));
        }
        if pod.sessions.has_departed(id) {
            return Some(Arrival::Nowhere);
        }
        let session = match heard(pod, sharing, sharing.store.read(id).await)? {
            Some(Entry { session, wish: None, .. }) => session,
            Some(Entry { wish: Some(_), .. }) | None => return Some(Arrival::Nowhere),
        };
        let unless_streaming = match claim(
            &pod.config.pod,
            pod.sessions.adopts(),
            &session,
            standing_of_owner(pod, sharing, &session).await?,
        ) {
            Claim::Guest => return Some(as_guest(pod, &session)),
            Claim::Adopt => false,
            Claim::AdoptUnlessStreaming => true,
        };
        let adoption =
            Adoption { id, from: session.pod.clone(), by: pod.config.pod.clone(), unless_streaming, streaming };
        match heard(pod, sharing, sharing.store.adopt(&adoption).await)? {
            Some(adopted) => return Some(take_in(pod, sharing, &adopted, &adoption).await),
            None => guest = Some(session),
        }
    }
    Some(guest.map_or(Arrival::Nowhere, |session| as_guest(pod, &session)))
}

fn heard<T>(pod: &Pod, sharing: &Sharing, answer: Result<T, crate::store::StoreError>) -> Option<T> {
    sharing.heard(answer, pod.clock.now())
}

async fn standing_of_owner(pod: &Pod, sharing: &Sharing, session: &SharedSession) -> Option<Owner> {
    if session.pod == pod.config.pod {
        return Some(Owner::Gone);
    }
    let owner = sharing.owner(&session.pod, pod.clock.now()).await?;
    // Just after an outage a lease that ran out says nothing.
    let unsure = owner == Owner::Gone && sharing.standing.is_settling(pod.clock.now());
    Some(if unsure { Owner::Alive } else { owner })
}

async fn take_in(pod: &Arc<Pod>, sharing: &Sharing, adopted: &Entry, adoption: &Adoption) -> Arrival {
    let session = &adopted.session;
    // Before anybody can find the session here and end it: an owner that misses one it was not called for takes it for
    // lost. Where it was ours already, the answer to our adoption was lost on the way, and with it the call.
    let before = if adoption.from == pod.config.pod { adopted.from.as_ref() } else { Some(&adoption.from) };
    if let Some(before) = before {
        heard(pod, sharing, sharing.store.call(before, session.id).await);
    }
    let (lifecycle, now) = (*pod.lifecycle.borrow(), pod.clock.now());
    let same = |reason| reason == Reason::Maintenance && session.told == Some(reason);
    let told = lifecycle.notice().filter(|notice| same(notice.reason)).map(|notice| notice.id);
    let streams = if adoption.streaming { Streams::awaited(now.plus(OPENS_WITHIN)) } else { Streams::default() };
    let Ok(live) = pod.sessions.adopt(session, told, streams, now) else {
        // The door has closed, or the pod is full, since we asked. It is ours in the store and held by nobody: whoever
        // comes next may have it, and this request is served all the same.
        let release = crate::store::Write::Release { id: session.id, pod: pod.config.pod.clone() };
        heard(pod, sharing, sharing.store.write(vec![release]).await);
        return as_guest(pod, session);
    };
    sharing.end_guests(session.id);
    Arrival::Found(live)
}

fn as_guest(pod: &Pod, session: &SharedSession) -> Arrival {
    Arrival::Found(pod.sessions.guest(session, Streams::default(), pod.clock.now()))
}
