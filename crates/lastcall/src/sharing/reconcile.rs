//! Compares the pod's own sessions with the store: adopted by other pods, asked for something by them, or lost there.
//!
//! Messages tell at once where to look. A slow sweep is the safety net for a message that was never sent: it looks at a
//! bounded number of sessions a second, so that a pod at rest costs the store the same, however many sessions it holds.

mod guests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use session_domain::lifecycle::Reason;
use session_domain::{PodName, SessionId, Timestamp};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Sharing, locked};
use crate::sessions::{self, Live};
use crate::store::{Adoption, Lookup, Lookups, Message, OwnerRequest, Reading, Summary, Write, Written};

/// A read of the inbox waits so long at the store for a message.
const INBOX_WAIT: Duration = Duration::from_secs(5);

/// The inbox is read again so long after a failure.
const INBOX_RETRY: Duration = Duration::from_millis(500);

/// Sessions that messages told of and that could not be looked at yet, at the most.
const MAX_UNDECIDED: usize = 100_000;

/// How often sessions are compared with the store.
const COMPARE_INTERVAL: Duration = Duration::from_millis(500);

/// Sessions that a sweep looks at each time, at the least.
const SWEEP_BATCH: usize = 5;

/// Sessions that are looked at with one question.
const LOOKUP_BATCH: usize = 1_000;

/// What messages say of a session, and what follows where the store does not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Another pod has adopted it; where it is absent, it has ended there since.
    Adopted,
    /// Another pod asks for something. The request holds, though the entry with it may be lost.
    Asked(OwnerRequest),
    /// Requests came in at another pod.
    Active,
    /// Nothing: it is looked at in its turn.
    Nothing,
}

impl Told {
    /// The last word on each session.
    pub(super) fn of_all(messages: &[Message]) -> HashMap<SessionId, Self> {
        let mut told = HashMap::new();
        for message in messages {
            match message {
                Message::Adopted(id) => _ = told.insert(*id, Self::Adopted),
                Message::Asked(id, request) => _ = told.insert(*id, Self::Asked(*request)),
                Message::Active(ids) => {
                    for id in ids {
                        told.entry(*id).or_insert(Self::Active);
                    }
                }
                Message::Notified(..) => {}
            }
        }
        told
    }
}

/// Reads the pod's inbox until `stop` is cancelled. Messages are dropped from it once they are acted on, or kept here where
/// that is not possible yet: none holds up the others.
pub(super) async fn read_inbox(sharing: Arc<Sharing>, stop: CancellationToken) {
    loop {
        let wait = if locked(&sharing.undecided).is_empty() { INBOX_WAIT } else { INBOX_RETRY };
        let read = async {
            if sharing.health().is_readable() && read_page(&sharing, wait).await.is_some() {
                return;
            }
            sleep(INBOX_RETRY).await;
        };
        if stop.run_until_cancelled(read).await.is_none() {
            return;
        }
    }
}

/// Reads the messages that came in before the lease was given back.
pub(super) async fn read_what_is_left(sharing: &Arc<Sharing>) {
    let mut told = sharing.unread().await.unwrap_or_default();
    told.retain(|_, told| *told != Told::Active);
    look(sharing, &told).await;
}

/// Reads one page and acts on it; `None` where the store does not answer.
async fn read_page(sharing: &Arc<Sharing>, wait: Duration) -> Option<()> {
    let position = locked(&sharing.inbox_position).clone();
    let inbox = match sharing.store.inbox(&sharing.config.pod, &position, wait).await {
        Ok(inbox) => inbox,
        Err(error) => {
            // The lease tells whether the store is away.
            debug!(%error, "the inbox cannot be read");
            return None;
        }
    };
    for message in &inbox.messages {
        if let Message::Notified(id, reason) = message {
            notified(sharing, *id, *reason);
        }
    }
    let mut told = locked(&sharing.undecided).clone();
    told.extend(Told::of_all(&inbox.messages));
    if told.len() > MAX_UNDECIDED {
        debug!(sessions.undecided = told.len(), "too many messages cannot be acted on: the sweep finds the rest");
        told.retain(|_, told| *told != Told::Active);
    }
    // Kept before they are dropped from the inbox: a caller that asks for unread messages has to be told of them.
    locked(&sharing.undecided).clone_from(&told);
    if let Some(last) = inbox.last {
        let acknowledged = sharing.store.acknowledge(&sharing.config.pod, &last).await;
        sharing.health.written(acknowledged, sharing.clock.now());
        *locked(&sharing.inbox_position) = last;
    }
    let undecided = look(sharing, &told).await;
    *locked(&sharing.undecided) = undecided;
    Some(())
}

/// Compares until `stop` is cancelled.
pub(super) async fn compare(sharing: Arc<Sharing>, stop: CancellationToken) {
    let mut ticks = interval(COMPARE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweep = Sweep::default();
    let mut guests = guests::Watch::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sharing.sweep_all.notified() => sweep.everything(&sharing).await,
            _ = ticks.tick() => {
                if sharing.health().is_readable() {
                    settle_missing(&sharing).await;
                    sweep.next(&sharing).await;
                    guests.look(&sharing).await;
                }
            }
        }
    }
}

/// Goes over all sessions, some at a time.
#[derive(Debug, Default)]
struct Sweep {
    ahead: Vec<SessionId>,
}

impl Sweep {
    /// Looks at the next sessions, and renews the time to live of those that are open: nothing else does, where nothing
    /// touches them.
    async fn next(&mut self, sharing: &Arc<Sharing>) {
        if self.ahead.is_empty() {
            sharing.registry.walk(|session| self.ahead.push(session.id()));
        }
        // All within a third of their time to live.
        let rounds = (sharing.config.limits.session_ttl / 3).as_millis() / COMPARE_INTERVAL.as_millis().max(1);
        let due = sharing.registry.active() / u64::try_from(rounds.max(1)).unwrap_or(u64::MAX);
        let batch = SWEEP_BATCH.max(usize::try_from(due).unwrap_or(usize::MAX).saturating_add(1));
        let part = self.ahead.split_off(self.ahead.len().saturating_sub(batch));
        self.look_at(sharing, part).await;
    }

    async fn everything(&mut self, sharing: &Arc<Sharing>) {
        self.ahead.clear();
        let mut all = Vec::new();
        sharing.registry.walk(|session| all.push(session.id()));
        self.look_at(sharing, all).await;
    }

    async fn look_at(&self, sharing: &Arc<Sharing>, ids: Vec<SessionId>) {
        let open = |id: &SessionId| sharing.registry.get(*id).is_some_and(|session| session.is_connected());
        let kept: Vec<_> = ids.iter().filter(|id| open(id)).map(|id| Write::Keep { id: *id }).collect();
        look(sharing, &ids.into_iter().map(|id| (id, Told::Nothing)).collect()).await;
        if !kept.is_empty() && sharing.health().is_writable() {
            for part in kept.chunks(LOOKUP_BATCH) {
                let kept = sharing.store.write(part.to_vec()).await;
                sharing.health.written::<Vec<Written>>(kept, sharing.clock.now());
            }
        }
    }
}

/// Learns what became of sessions that the store should have and does not.
async fn settle_missing(sharing: &Sharing) {
    let missing = sharing.take_missing();
    if missing.is_empty() {
        return;
    }
    match sharing.unread().await {
        // A pod that adopts tells at once: what is missing and was not told of is lost. A message that is unread is acted on by
        // its reader. A session that has another id by now is not the one that was missed.
        Some(unread) => missing
            .iter()
            .filter(|(id, session)| !unread.contains_key(id) && session.id() == **id && session.is_stored())
            .for_each(|(_, session)| sharing.write_anew(session)),
        None => missing.values().for_each(|session| sharing.record_missing(session)),
    }
}

/// Looks at what messages may have told of, then at these sessions. The messages stay unread.
pub(super) async fn look_again(sharing: &Arc<Sharing>, ids: HashSet<SessionId>) {
    let mut told = sharing.unread().await.unwrap_or_default();
    for id in ids {
        told.entry(id).or_insert(Told::Nothing);
    }
    look(sharing, &told).await;
}

/// A user was shown the notice that runs here at another pod.
fn notified(sharing: &Sharing, id: SessionId, reason: Reason) {
    let notice = sharing.lifecycle.borrow().notice().filter(|notice| notice.reason == reason);
    if let (Some(notice), Some(session)) = (notice, sharing.registry.get(id)) {
        sharing.registry.mark_notified(&session, notice.id);
    }
}

/// What is looked for, and when it was asked for.
#[derive(Clone, Copy, Debug)]
struct Question {
    id: SessionId,
    asked: Timestamp,
    told: Told,
    /// Whether the store has lost nothing: what is absent was ended.
    absence_is_true: bool,
}

/// Looks at these sessions. Gives those that could not be looked at, or not be acted on.
async fn look(sharing: &Arc<Sharing>, told: &HashMap<SessionId, Told>) -> HashMap<SessionId, Told> {
    let mut undecided = HashMap::new();
    let all: Vec<_> = told.iter().map(|(id, told)| (*id, *told)).collect();
    for part in all.chunks(LOOKUP_BATCH) {
        let asked = sharing.clock.now();
        let ids = part.iter().map(|(id, _)| *id).collect();
        let answer = sharing.health.read(sharing.store.lookup_many(ids).await, sharing.clock.now());
        let Some(Lookups { lookups, contents }) = answer else {
            undecided.extend(part.iter().copied());
            continue;
        };
        let now = sharing.clock.now();
        let absence_is_true = contents.is_some_and(|contents| sharing.health.believes_absence(contents, now));
        for ((id, told), lookup) in part.iter().zip(lookups) {
            // Asked before the registry: a session that arrives right now is not found there yet, and the message may be
            // about what comes after its arrival.
            let arrives = locked(&sharing.arriving).contains(id);
            let is_done = match sharing.registry.get(*id) {
                // It has another id since it was looked at: the answer is not about it.
                Some(session) if session.id() != *id => true,
                Some(session) => {
                    react(sharing, &session, Question { id: *id, asked, told: *told, absence_is_true }, lookup).await
                }
                None if arrives => false,
                None => not_held(sharing, *id, *told, &lookup).await,
            };
            if !is_done {
                undecided.insert(*id, *told);
            }
        }
    }
    undecided
}

/// A session that this pod does not hold: it has moved or ended. One that was released, and whose user has logged out before
/// another pod adopted it, is this pod's to end. Gives whether that is decided.
async fn not_held(sharing: &Sharing, id: SessionId, told: Told, lookup: &Lookup) -> bool {
    let is_ours = match lookup {
        Lookup::Found(found) => found.pod == sharing.config.pod,
        Lookup::Absent => false,
        Lookup::Unknown => return false,
    };
    // One that has ended here is counted, and its entry goes as soon as that is written.
    let is_released = is_ours && !sharing.registry.has_tombstone(id);
    if is_released && matches!(told, Told::Asked(OwnerRequest::End { .. })) {
        sharing.end_released(id).await;
    }
    true
}

/// Acts on what was seen of a session of this pod. Gives whether that was possible.
async fn react(sharing: &Arc<Sharing>, session: &Live, question: Question, lookup: Lookup) -> bool {
    let log_out = |automatic| _ = sessions::log_out(&sharing.registry, session, automatic);
    match (lookup, question.told) {
        (Lookup::Unknown, _) => return false,
        (Lookup::Found(Summary { pod, .. }), told) if pod != sharing.config.pod => {
            if told != Told::Adopted && sharing.health.may_be_behind(sharing.clock.now()) {
                return reassert(sharing, session, question.id, pod).await;
            }
            sharing.let_move(session);
        }
        (Lookup::Found(Summary { request: Some(OwnerRequest::End { automatic }), .. }), _) => log_out(automatic),
        (Lookup::Found(Summary { request: Some(OwnerRequest::Rename(new)), .. }), _) => {
            return rename(sharing, session, question.id, new).await;
        }
        // Another pod has adopted it meanwhile, and has done what was asked.
        (Lookup::Absent, Told::Asked(OwnerRequest::End { .. })) if question.absence_is_true && session.is_stored() => {
            sharing.let_move(session);
        }
        // The entry was lost with the request in it, and is written again.
        (Lookup::Found(_) | Lookup::Absent, Told::Asked(OwnerRequest::End { automatic })) => log_out(automatic),
        (Lookup::Absent, Told::Asked(OwnerRequest::Rename(new))) => {
            return rename(sharing, session, question.id, new).await;
        }
        (Lookup::Found(Summary { idle, .. }), told) => {
            session.record_activity(question.asked.minus(idle));
            if told == Told::Active {
                // A request with its cookie came in there.
                session.mark_cookie_returned();
            }
        }
        // It has ended there since, or the store has lost it: the pod that adopted it knows.
        (Lookup::Absent, Told::Adopted) => sharing.let_move(session),
        (Lookup::Absent, Told::Active | Told::Nothing) if session.is_stored() => {
            sharing.record_missing(session);
        }
        // Not there yet.
        (Lookup::Absent, Told::Active | Told::Nothing) => {}
    }
    true
}

/// A store that has just come back names another owner of a session that this pod holds: it may be behind, from before this pod
/// adopted it. A pod that adopts tells the owner, and this one was not told: it takes the entry back, and tells that pod.
async fn reassert(sharing: &Sharing, session: &Live, id: SessionId, named: PodName) -> bool {
    let streaming = session.is_streaming();
    let by = sharing.config.pod.clone();
    let adoption = Adoption { id, from: named.clone(), by, unless_streaming: false, streaming };
    let adopted = sharing.health.written(sharing.store.adopt(&adoption).await, sharing.clock.now());
    let Some(Some(_)) = adopted else { return false };
    sharing.tell(&named, &Message::Adopted(id)).await;
    sharing.registry.queue_write(session);
    true
}

/// A guest's user has signed in at another pod, and the session goes on as `id`. Gives whether that was possible.
async fn rename(sharing: &Arc<Sharing>, session: &Live, old: SessionId, id: SessionId) -> bool {
    // A request looks for it right now.
    let Ok(_turn) = sharing.turn(id).try_lock() else { return false };
    if session.id() != old {
        return true;
    }
    let was_here = sharing.registry.get(id).is_some() || sharing.registry.has_tombstone(id);
    let Some(reading) = sharing.health.read(sharing.store.read(id).await, sharing.clock.now()) else { return false };
    match reading {
        Reading::Found(entry) if !was_here && entry.session.pod == sharing.config.pod => {
            if sessions::sign_in(&sharing.registry, session, id, entry.session.user, sharing.clock.now()) {
                // The guest has written it: where it is missing from now on, another pod has ended it.
                session.mark_stored(id);
            }
        }
        Reading::Absent(contents) if !sharing.health.believes_absence(contents, sharing.clock.now()) => return false,
        // Its user was faster, with the new cookie: here already, at another pod, or even gone again.
        Reading::Found(_) | Reading::Absent(_) | Reading::Replaced => {
            sharing.let_move(session);
            sharing.write_one(Write::Delete { id: old, pod: sharing.config.pod.clone(), replaced_for: None }).await;
        }
    }
    true
}
