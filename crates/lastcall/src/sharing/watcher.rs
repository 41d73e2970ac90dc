//! Looks after the pod's own sessions in the store: adopted by others, asked for something by guests, or lost there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use session_domain::shared::Owner;
use session_domain::{Outcome, SessionId, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Sharing;
use crate::pod::{Live, Pod};
use crate::store::{Glance, Seen, Wish, Write};
use crate::streams::End;

/// How often the pod asks what its attention was called to.
const ASK: Duration = Duration::from_millis(400);

/// Every so many times it looks at all its sessions: within 2 s nothing is missed, called or not.
const SWEEP: u32 = 4;

/// Sessions that are looked at with one question.
const BATCH: usize = 1_000;

/// Watches until `stop` is cancelled.
pub(super) async fn watch(pod: Arc<Pod>, stop: CancellationToken) {
    let Some(sharing) = &pod.sharing else { return };
    let mut ticks = interval(ASK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tick = 0_u32;
    // Nobody touches a session whose stream is open; its entry must not run out all the same.
    let refresh = pod.config.limits.session_ttl / 3;
    let mut refreshed = Instant::now();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if !sharing.is_up() {
            continue;
        }
        tick = tick.wrapping_add(1);
        if refreshed.elapsed() >= refresh {
            refreshed = Instant::now();
            pod.sessions.walk(|session| {
                if session.is_connected() {
                    pod.sessions.write_again(session);
                }
            });
        }
        let missing = sharing.take_missing();
        match answer_calls(&pod, sharing).await {
            // Whoever adopts a session calls first: what is missing and was not called for is lost.
            // One that has another id by now is not what was missed.
            Some(called) => missing
                .iter()
                .filter(|(id, session)| !called.contains(id) && session.id() == **id)
                .for_each(|(_, session)| pod.write_anew(session)),
            None => missing.values().for_each(|session| sharing.is_missing(session)),
        }
        if tick.is_multiple_of(SWEEP) {
            sweep(&pod, sharing).await;
            look_at_guests(&pod, sharing).await;
        }
    }
}

/// Looks at what the pod was called to, answers what it could look at, and gives all of it; `None` where the store does not
/// say. For the watcher alone: two who answer at once would answer a third call that nobody has looked at.
async fn answer_calls(pod: &Arc<Pod>, sharing: &Sharing) -> Option<HashSet<SessionId>> {
    let calls = sharing.heard(sharing.store.calls(&pod.config.pod).await, pod.clock.now())?;
    let called: HashSet<_> = calls.ids.into_iter().collect();
    if calls.count > 0 && look(pod, sharing, called.iter().copied().collect(), Missing::Moved).await {
        sharing.heard(sharing.store.answered(&pod.config.pod, calls.count).await, pod.clock.now());
    }
    Some(called)
}

/// Looks at what the pod was called to, which stays to be answered, then at these sessions.
pub(super) async fn look_again(pod: &Arc<Pod>, sharing: &Sharing, ids: Vec<SessionId>) {
    if let Some(calls) = sharing.heard(sharing.store.calls(&pod.config.pod).await, pod.clock.now()) {
        look(pod, sharing, calls.ids, Missing::Moved).await;
    }
    look(pod, sharing, ids, Missing::Unclear).await;
}

/// Looks at all sessions of the pod.
async fn sweep(pod: &Arc<Pod>, sharing: &Sharing) {
    let mut all = Vec::new();
    pod.sessions.walk(|session| all.push(session.id()));
    look(pod, sharing, all, Missing::Unclear).await;
}

/// What it means that the store does not have a session that it had.
#[derive(Clone, Copy, Debug)]
enum Missing {
    /// Another pod has called: it took the session over, and there it has ended since.
    Moved,
    /// It has to be found out.
    Unclear,
}

/// What was looked for, and when.
#[derive(Clone, Copy, Debug)]
struct Look {
    id: SessionId,
    asked: Timestamp,
    missing: Missing,
}

/// Looks at these sessions; whether all could be looked at.
async fn look(pod: &Arc<Pod>, sharing: &Sharing, ids: Vec<SessionId>, missing: Missing) -> bool {
    let mut saw_all = true;
    for part in ids.chunks(BATCH) {
        let asked = pod.clock.now();
        let Some(seen) = sharing.heard(sharing.store.look(part.to_vec()).await, pod.clock.now()) else { return false };
        for (id, seen) in part.iter().zip(seen) {
            saw_all &= seen != Seen::Unclear;
            // Asked before the registry: a session that arrives right now is not found there yet, and the call may be
            // about what comes after its arrival.
            let arrives = sharing.turn(*id).try_lock().is_err();
            match pod.sessions.get(*id) {
                // It has another id since we looked: what was seen is not about it.
                Some(session) if session.id() != *id => {}
                Some(session) => react(pod, sharing, &session, Look { id: *id, asked, missing }, seen).await,
                None => saw_all &= !arrives,
            }
        }
    }
    saw_all
}

async fn react(pod: &Arc<Pod>, sharing: &Sharing, session: &Live, look: Look, seen: Seen) {
    let Glance { pod: owner, idle, wish } = match (seen, look.missing) {
        (Seen::There(glance), _) => glance,
        (Seen::Missing, Missing::Moved) => return pod.let_move(session),
        (Seen::Missing, Missing::Unclear) if session.is_stored() => return sharing.is_missing(session),
        // Not there yet, or not to be seen now.
        (Seen::Missing, Missing::Unclear) | (Seen::Unclear, _) => return,
    };
    if owner != pod.config.pod {
        return pod.let_move(session);
    }
    match wish {
        None => session.was_active(look.asked.minus(idle)),
        Some(Wish::End { automatic }) => _ = pod.log_out(session, automatic),
        Some(Wish::Rename(new)) => rename(pod, sharing, session, look.id, new).await,
    }
}

/// A guest's user has signed in there, and the session goes on as `id`.
async fn rename(pod: &Arc<Pod>, sharing: &Sharing, session: &Live, old: SessionId, id: SessionId) {
    // Somebody looks for it right now: the wish stands there still when we come by the next time.
    let Ok(_turn) = sharing.turn(id).try_lock() else { return };
    if session.id() != old {
        return;
    }
    let was_here = pod.sessions.get(id).is_some() || pod.sessions.has_departed(id);
    let Some(entry) = sharing.heard(sharing.store.read(id).await, pod.clock.now()) else { return };
    match entry {
        Some(entry) if !was_here && entry.session.pod == pod.config.pod => {
            if pod.sign_in(session, id, entry.session.user) {
                // The guest has written it: where it is missing from now on, somebody has taken it out.
                session.stored_as(id);
            }
        }
        // Its user was faster, with the new cookie: here already, at another pod, or even gone again.
        Some(_) | None => {
            let old = Write::Delete { id: old, pod: pod.config.pod.clone() };
            pod.let_move(session);
            sharing.heard(sharing.store.write(vec![old]).await, pod.clock.now());
        }
    }
}

/// Guests have no owner here who would be told: their streams end when their session does.
async fn look_at_guests(pod: &Pod, sharing: &Sharing) {
    let guests = sharing.streaming_guests();
    let mut deserted = HashMap::new();
    for home in guests.iter().filter_map(|guest| guest.home()) {
        if !deserted.contains_key(home) {
            let Some(owner) = sharing.owner(home, pod.clock.now()).await else { return };
            deserted.insert(home.clone(), owner != Owner::Alive && !sharing.standing.is_settling(pod.clock.now()));
        }
    }
    let ids: Vec<_> = guests.iter().map(|guest| guest.id()).collect();
    for (guests, ids) in guests.chunks(BATCH).zip(ids.chunks(BATCH)) {
        let Some(seen) = sharing.heard(sharing.store.look(ids.to_vec()).await, pod.clock.now()) else { return };
        for (guest, seen) in guests.iter().zip(seen) {
            match seen {
                Seen::Missing | Seen::There(Glance { wish: Some(Wish::End { .. }), .. }) => {
                    guest.attachment().end(End::Logout);
                }
                Seen::There(Glance { wish: Some(Wish::Rename(_)), .. }) => guest.attachment().end(End::Moved),
                // Its owner has changed or goes: the page opens its stream again, and the session is at home where it is.
                Seen::There(Glance { pod: owner, wish: None, .. })
                    if guest.home() != Some(&owner) || deserted.get(&owner) == Some(&true) =>
                {
                    guest.attachment().end(End::Moved);
                }
                Seen::There(Glance { wish: None, .. }) | Seen::Unclear => {}
            }
        }
    }
}

impl Pod {
    /// The store has lost the session: what the registry holds is true.
    pub(super) fn write_anew(&self, session: &Live) {
        session.is_lost();
        self.sessions.write_again(session);
    }

    /// Another pod has taken the session over: it goes on there, and counts neither as a logout nor as forced.
    pub(super) fn let_move(&self, session: &Live) {
        if self.sessions.end(session, Outcome::Moved) {
            session.attachment().end(End::Moved);
        }
    }
}
