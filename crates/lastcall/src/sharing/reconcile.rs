//! Compares the pod's own sessions with the store: adopted by other pods, asked for something by them, or lost there.
//!
//! Messages tell at once where to look. A slow sweep is the safety net for a message that was never sent: it looks at a
//! bounded number of sessions a second, so that a pod at rest costs the store the same, however many sessions it holds.

mod guests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use session_domain::lifecycle::Reason;
use session_domain::{SessionId, Timestamp};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Sharing;
use crate::sessions::{self, Live};
use crate::store::{Lookup, Lookups, Message, OwnerRequest, Reading, Summary, Write, Written};

/// A read of the inbox waits so long at the store for a message.
const INBOX_WAIT: Duration = Duration::from_secs(5);

/// The inbox is read again so long after a failure.
const INBOX_RETRY: Duration = Duration::from_millis(500);

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

/// Reads the pod's inbox until `stop` is cancelled. Messages are dropped from it once they are acted on.
pub(super) async fn read_inbox(sharing: Arc<Sharing>, stop: CancellationToken) {
    loop {
        let position = super::locked(&sharing.inbox_position).clone();
        let inbox = async {
            if !sharing.health().is_readable() {
                sleep(INBOX_RETRY).await;
                return None;
            }
            match sharing.store.inbox(&sharing.config.pod, &position, INBOX_WAIT).await {
                Ok(inbox) => Some(inbox),
                Err(error) => {
                    // The lease tells whether the store is away.
                    debug!(%error, "the inbox cannot be read");
                    sleep(INBOX_RETRY).await;
                    None
                }
            }
        };
        let Some(inbox) = stop.run_until_cancelled(inbox).await else { return };
        let Some((inbox, last)) = inbox.and_then(|inbox| inbox.last.clone().map(|last| (inbox, last))) else {
            continue;
        };
        for message in &inbox.messages {
            if let Message::Notified(id, reason) = message {
                notified(&sharing, *id, *reason);
            }
        }
        if look(&sharing, &Told::of_all(&inbox.messages)).await {
            let acknowledged = sharing.store.acknowledge(&sharing.config.pod, &last).await;
            sharing.health.written(acknowledged, sharing.clock.now());
            *super::locked(&sharing.inbox_position) = last;
        } else {
            sleep(INBOX_RETRY).await;
        }
    }
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
            let kept = sharing.store.write(kept).await;
            sharing.health.written::<Vec<Written>>(kept, sharing.clock.now());
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
        // Another pod tells before it adopts: what is missing and was not told of is lost. A message that is unread is acted
        // on by its reader. A session that has another id by now is not the one that was missed.
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
        sharing.registry.tell(&session, notice.id);
    }
}

/// What is looked for, and when it was asked for.
#[derive(Clone, Copy, Debug)]
struct Question {
    id: SessionId,
    asked: Timestamp,
    told: Told,
}

/// Looks at these sessions; whether all could be looked at.
async fn look(sharing: &Arc<Sharing>, told: &HashMap<SessionId, Told>) -> bool {
    let mut saw_all = true;
    let all: Vec<_> = told.iter().map(|(id, told)| (*id, *told)).collect();
    for part in all.chunks(LOOKUP_BATCH) {
        let asked = sharing.clock.now();
        let ids = part.iter().map(|(id, _)| *id).collect();
        let answer = sharing.health.read(sharing.store.lookup_many(ids).await, sharing.clock.now());
        let Some(Lookups { lookups, .. }) = answer else { return false };
        for ((id, told), lookup) in part.iter().zip(lookups) {
            saw_all &= lookup != Lookup::Unknown;
            // Asked before the registry: a session that arrives right now is not found there yet, and the message may be
            // about what comes after its arrival.
            let arrives = sharing.turn(*id).try_lock().is_err();
            match sharing.registry.get(*id) {
                // It has another id since it was looked at: the answer is not about it.
                Some(session) if session.id() != *id => {}
                Some(session) => {
                    let question = Question { id: *id, asked, told: *told };
                    react(sharing, &session, question, lookup).await;
                }
                None => {
                    saw_all &= !arrives;
                    let is_ours = matches!(&lookup, Lookup::Found(found) if found.pod == sharing.config.pod);
                    // One that has ended here is counted, and its entry goes as soon as that is written.
                    let is_released = is_ours && !arrives && !sharing.registry.has_departed(*id);
                    if is_released && matches!(told, Told::Asked(OwnerRequest::End { .. })) {
                        sharing.end_released(*id).await;
                    }
                }
            }
        }
    }
    saw_all
}

async fn react(sharing: &Arc<Sharing>, session: &Live, question: Question, lookup: Lookup) {
    let log_out = |automatic| _ = sessions::log_out(&sharing.registry, session, automatic);
    match (lookup, question.told) {
        (Lookup::Unknown, _) => {}
        (Lookup::Found(Summary { pod, .. }), _) if pod != sharing.config.pod => sharing.let_move(session),
        (Lookup::Found(Summary { request: Some(OwnerRequest::End { automatic }), .. }), _) => log_out(automatic),
        (Lookup::Found(Summary { request: Some(OwnerRequest::Rename(new)), .. }), _) => {
            rename(sharing, session, question.id, new).await;
        }
        // The entry was lost with the request in it, and is written again.
        (Lookup::Found(_) | Lookup::Absent, Told::Asked(OwnerRequest::End { automatic })) => log_out(automatic),
        (Lookup::Absent, Told::Asked(OwnerRequest::Rename(new))) => rename(sharing, session, question.id, new).await,
        (Lookup::Found(Summary { idle, .. }), _) => session.was_active(question.asked.minus(idle)),
        // It has ended there since, or the store has lost it: the pod that adopted it knows.
        (Lookup::Absent, Told::Adopted) => sharing.let_move(session),
        (Lookup::Absent, Told::Active | Told::Nothing) if session.is_stored() => {
            sharing.record_missing(session);
        }
        // Not there yet.
        (Lookup::Absent, Told::Active | Told::Nothing) => {}
    }
}

/// A guest's user has signed in at another pod, and the session goes on as `id`.
async fn rename(sharing: &Arc<Sharing>, session: &Live, old: SessionId, id: SessionId) {
    // A request looks for it right now: the request for the owner is still there the next time.
    let Ok(_turn) = sharing.turn(id).try_lock() else { return };
    if session.id() != old {
        return;
    }
    let was_here = sharing.registry.get(id).is_some() || sharing.registry.has_departed(id);
    let Some(reading) = sharing.health.read(sharing.store.read(id).await, sharing.clock.now()) else { return };
    match reading {
        Reading::Found(entry) if !was_here && entry.session.pod == sharing.config.pod => {
            if sessions::sign_in(&sharing.registry, session, id, entry.session.user) {
                // The guest has written it: where it is missing from now on, another pod has ended it.
                session.mark_stored(id);
            }
        }
        Reading::Absent(contents) if !sharing.health.believes_absence(contents, sharing.clock.now()) => {}
        // Its user was faster, with the new cookie: here already, at another pod, or even gone again.
        Reading::Found(_) | Reading::Absent(_) => {
            sharing.let_move(session);
            sharing.write_one(Write::Delete { id: old, pod: sharing.config.pod.clone() }).await;
        }
    }
}
