//! The one task that writes. Everything goes through it in turn, so that no write overtakes a later one, and what changes
//! often is written once: the newest state of each session.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use session_domain::registry::Change;
use session_domain::shared::SharedSession;
use session_domain::{Outcome, SessionId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{LEASE, Sharing, owner};
use crate::pod::{Live, Pod};
use crate::store::{Wish, Write, Written};

/// What nobody waits for is written this often.
const BEHIND: Duration = Duration::from_millis(250);

/// Writes that go out together.
const BATCH: usize = 500;

/// What met a part of the store that is away is tried again after so long.
const LATER: Duration = Duration::from_secs(1);

/// Ends that are kept while the store is away, beyond the sessions held. What is more than that is dropped: such an entry
/// stays until its time is over.
const MOST_ENDS: usize = 1_000_000;

/// Something unwritten. The newest counts.
#[derive(Debug)]
enum Unwritten {
    Put(Live),
    /// Its user has left, or has another id: where it lives on another pod by now, that pod has to end it.
    Leave {
        automatic: bool,
    },
    Delete,
    Release,
    /// It lives on another pod: its owner is asked to end it.
    EndElsewhere {
        automatic: bool,
    },
}

/// What the writer is asked for.
pub(super) enum Ask {
    /// To say when everything that was changed before is written, or cannot be now.
    Written(oneshot::Sender<()>),
    /// To take these out of the store after that, and to give those that were ours to take.
    TakeOut(Vec<Live>, oneshot::Sender<Vec<Live>>),
}

struct Writer {
    pod: Arc<Pod>,
    unwritten: HashMap<SessionId, Unwritten>,
    dropping: bool,
    /// What is written once more at that time, unless there is something newer. Ends, since what a server had been sent
    /// before it fell silent it may do after what it was sent when it was back; and what met a part that is away.
    again: BTreeMap<(Timestamp, SessionId), Unwritten>,
    /// Sessions that the store refused: said once each.
    refused: HashSet<SessionId>,
}

/// Writes until `stop` is cancelled, then once more, and answers whoever asked meanwhile.
pub(super) async fn write(pod: Arc<Pod>, mut asked: mpsc::UnboundedReceiver<Ask>, stop: CancellationToken) {
    let mut ticks = interval(BEHIND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut writer =
        Writer { pod, unwritten: HashMap::new(), dropping: false, again: BTreeMap::new(), refused: HashSet::new() };
    let mut ends = false;
    while !ends {
        let mut asks = Vec::new();
        tokio::select! {
            () = stop.cancelled() => ends = true,
            ask = asked.recv() => asks.extend(ask),
            _ = ticks.tick() => {}
        }
        while let Ok(ask) = asked.try_recv() {
            asks.push(ask);
        }
        writer.collect();
        writer.flush().await;
        for ask in asks {
            writer.answer(ask).await;
        }
    }
}

impl Writer {
    /// Whoever gave up waiting needs no answer.
    async fn answer(&self, ask: Ask) {
        match ask {
            Ask::Written(done) => _ = done.send(()),
            Ask::TakeOut(sessions, done) => {
                let ours = match &self.pod.sharing {
                    Some(sharing) if !done.is_closed() => owner::take_out(&self.pod, sharing, sessions).await,
                    Some(_) | None => sessions,
                };
                let _ = done.send(ours);
            }
        }
    }

    fn collect(&mut self) {
        let now = self.pod.clock.now();
        // No more than one batch: what has to wait for a part of the store must not hold up what has not.
        for _ in 0..BATCH {
            let Some(first) = self.again.first_entry().filter(|first| first.key().0 <= now) else { break };
            let ((_, id), what) = first.remove_entry();
            self.keep(id, what);
        }
        let ended = self.pod.sharing.as_ref().map(Sharing::take_ended).unwrap_or_default();
        for (id, automatic) in ended {
            self.end(id, Unwritten::Leave { automatic });
        }
        for change in self.pod.sessions.take_unwritten() {
            match change {
                Change::Updated(session) => _ = self.unwritten.insert(session.id(), Unwritten::Put(session)),
                Change::Removed(id, Some(Outcome::Moved)) => self.end(id, Unwritten::Release),
                Change::Removed(id, None | Some(Outcome::Logout | Outcome::AutoLogout)) => {
                    self.end(id, Unwritten::Leave { automatic: false });
                }
                Change::Removed(id, Some(Outcome::Forced | Outcome::Expired)) => self.end(id, Unwritten::Delete),
            }
        }
    }

    /// Notes an end, as long as there are not too many of them.
    fn end(&mut self, id: SessionId, how: Unwritten) {
        if self.unwritten.contains_key(&id) || self.unwritten.len() + self.again.len() < MOST_ENDS {
            self.unwritten.insert(id, how);
            return;
        }
        self.pod.sessions.departure_is_written(id);
        if !std::mem::replace(&mut self.dropping, true) {
            warn!(unwritten.most = MOST_ENDS, "too much is unwritten: ends of sessions are dropped from now on");
        }
    }

    /// Writes all that was collected, until the store fails.
    async fn flush(&mut self) {
        let pod = Arc::clone(&self.pod);
        let Some(sharing) = &pod.sharing else { return };
        let touches = if sharing.is_up() { take_touches(sharing, pod.clock.now()) } else { Vec::new() };
        if !touches.is_empty() && sharing.heard(sharing.store.write(touches.clone()).await, pod.clock.now()).is_none() {
            touches.iter().for_each(|touch| {
                if let Write::Touch { id, at, .. } = touch {
                    sharing.touch(*id, *at);
                }
            });
        }
        let mut later = 0;
        while sharing.is_up() && !self.unwritten.is_empty() {
            let ids: Vec<_> = self.unwritten.keys().take(BATCH).copied().collect();
            let batch: Vec<_> = ids.iter().filter_map(|id| self.unwritten.remove_entry(id)).collect();
            let (writes, batch): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .filter_map(|(id, what)| Some((self.as_write(id, &what)?, (id, what))))
                .map(|(write, (id, what))| {
                    let written_as = if let Write::Put { session, .. } = &write { session.id } else { id };
                    (write, (id, written_as, what))
                })
                .unzip();
            match sharing.heard(sharing.store.write(writes).await, pod.clock.now()) {
                Some(results) => {
                    for ((id, written_as, what), result) in batch.into_iter().zip(results) {
                        if result == Written::Later {
                            later += 1;
                            self.again.insert((pod.clock.now().plus(LATER), id), what);
                        } else {
                            self.settle(written_as, &what, &result);
                        }
                    }
                }
                None => batch.into_iter().for_each(|(id, _, what)| self.keep(id, what)),
            }
        }
        match later {
            0 if self.again.is_empty() => sharing.standing.owes_nothing(pod.clock.now()),
            0 => {}
            _ => sharing.standing.lacks(later, "it does not take every write", pod.clock.now()),
        }
        self.dropping &= !self.unwritten.is_empty();
    }

    /// What is to be written; nothing for a session that has ended meanwhile, whose end is unwritten as well.
    fn as_write(&self, id: SessionId, what: &Unwritten) -> Option<Write> {
        let pod = self.pod.config.pod.clone();
        match what {
            Unwritten::Put(session) if session.has_ended() => None,
            Unwritten::Put(session) => {
                let shared = self.pod.shared(session);
                let idle = self.pod.clock.now().since(shared.last_activity);
                Some(Write::Put { session: shared, idle, new: !session.is_stored() })
            }
            Unwritten::Leave { .. } | Unwritten::Delete => Some(Write::Delete { id, pod }),
            Unwritten::EndElsewhere { automatic } => {
                Some(Write::Wish { id, wish: Wish::End { automatic: *automatic } })
            }
            // It may have come back meanwhile.
            Unwritten::Release if self.pod.sessions.get(id).is_some() => None,
            Unwritten::Release => Some(Write::Release { id, pod }),
        }
    }

    fn settle(&mut self, id: SessionId, what: &Unwritten, result: &Written) {
        if let Written::Refused(reason) = result
            && self.refused.len() < MOST_ENDS
            && self.refused.insert(id)
        {
            warn!(session.id = %id, reason, "the session store cannot keep this session: what stands there is something else");
        }
        match (what, result) {
            // A login may have given it another id meanwhile: then this says nothing of it.
            (Unwritten::Put(session), _) if session.id() != id => {}
            (Unwritten::Put(session), Written::Done) => session.stored_as(id),
            (Unwritten::Put(session), Written::Elsewhere) => self.pod.let_move(session),
            (Unwritten::Put(session), Written::Missing) => {
                if let Some(sharing) = &self.pod.sharing {
                    sharing.is_missing(session);
                }
            }
            (Unwritten::Put(_), Written::Refused(_) | Written::Later) | (Unwritten::Release, _) => {}
            (Unwritten::Leave { automatic }, Written::Elsewhere) => {
                self.keep(id, Unwritten::EndElsewhere { automatic: *automatic });
            }
            (Unwritten::EndElsewhere { .. }, Written::Done) => self.pod.sessions.departure_is_written(id),
            (Unwritten::Leave { automatic } | Unwritten::EndElsewhere { automatic }, _) => {
                self.is_written(id, Unwritten::Leave { automatic: *automatic });
            }
            (Unwritten::Delete, _) => self.is_written(id, Unwritten::Delete),
        }
    }

    /// An end is written; once more in a while where the store has just come back: what it was sent before it fell silent
    /// it may do only now, and a pod that holds the session may write it anew.
    fn is_written(&mut self, id: SessionId, end: Unwritten) {
        let now = self.pod.clock.now();
        if self.pod.sharing.as_ref().is_some_and(|sharing| sharing.standing.is_settling(now)) {
            self.again.insert((now.plus(LEASE), id), end);
        } else {
            self.pod.sessions.departure_is_written(id);
        }
    }

    /// Keeps what could not be written, unless there is something newer.
    fn keep(&mut self, id: SessionId, what: Unwritten) {
        if let Entry::Vacant(vacant) = self.unwritten.entry(id) {
            vacant.insert(what);
        }
    }
}

fn take_touches(sharing: &Sharing, now: Timestamp) -> Vec<Write> {
    let touches = sharing.touches.pin();
    let taken: Vec<_> = touches.iter().take(BATCH).map(|(id, at)| (*id, *at)).collect();
    taken
        .into_iter()
        .map(|(id, at)| {
            touches.remove(&id);
            Write::Touch { id, at, idle: now.since(at) }
        })
        .collect()
}

impl Pod {
    /// The session as the store keeps it.
    pub(super) fn shared(&self, session: &Live) -> SharedSession {
        let view = self.view(session);
        SharedSession {
            id: view.id,
            user: view.user,
            login_time: view.login_time,
            last_activity: view.last_activity,
            pod: view.pod,
            streaming: view.event_streams > 0 || session.attachment().is_awaited(self.clock.now()),
            told: self.lifecycle.borrow().notice().filter(|_| view.notified).map(|notice| notice.reason),
        }
    }
}
