//! The one task that writes. Everything goes through it in turn, so that no write overtakes a later one, and what changes
//! often is written once: the newest state of each session.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use session_domain::registry::Change;
use session_domain::{Outcome, PodName, SessionId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Sharing;
use super::ending::{ClaimFor, Claimed};
use super::health::SETTLING;
use crate::sessions::Live;
use crate::store::{Message, OwnerRequest, Write, Written};

/// Changes for which no caller waits are written this often.
const WRITE_BEHIND_INTERVAL: Duration = Duration::from_millis(250);

/// Writes that go out together.
const BATCH: usize = 500;

/// Writes that met a part of the store that is away are tried again after so long.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Ends are written again so long after they were, while the store settles.
const REPEAT_AFTER: Duration = Duration::from_millis(500);

/// Ends that are kept while the store is away, beyond the sessions held. Further ones are dropped: such an entry stays until
/// its time to live is over.
const MAX_ENDS: usize = 1_000_000;

/// Ends that have been acknowledged and are kept for a while, for the case that the store goes back to an earlier state.
const MAX_RECENT_ENDS: usize = 100_000;

/// Something unwritten. The newest counts.
#[derive(Debug)]
enum Unwritten {
    Put(Live),
    /// Its user has logged out, or has another id: where it lives on another pod by now, that pod has to end it.
    Leave {
        automatic: bool,
    },
    Delete,
    /// It lives on another pod: its owner is asked.
    Ask(OwnerRequest),
}

/// What the writer is asked for.
pub(super) enum Ask {
    /// To say when everything that was changed before is written, or cannot be now.
    Flushed(oneshot::Sender<()>),
    /// To claim these sessions. One result for each.
    Claim(Vec<Live>, ClaimFor, oneshot::Sender<Vec<Claimed>>),
}

struct Writer {
    sharing: Arc<Sharing>,
    unwritten: HashMap<SessionId, Unwritten>,
    dropping: bool,
    /// What is written once more at that time, unless there is something newer. Ends, since what a server had been sent
    /// before it fell silent it may do after what it was sent when it was back.
    again: BTreeMap<(Timestamp, SessionId), Unwritten>,
    /// What met a part of the store that is away, and is tried again at that time.
    deferred: BTreeMap<(Timestamp, SessionId), Unwritten>,
    /// Ends that were acknowledged a short while ago, the oldest first.
    recent_ends: VecDeque<(Timestamp, SessionId, bool)>,
    /// Sessions that the store refused: said once each.
    refused: HashSet<SessionId>,
}

/// Writes until `stop` is cancelled, then once more, and answers every caller that asked meanwhile.
pub(super) async fn write(sharing: Arc<Sharing>, mut asks: mpsc::UnboundedReceiver<Ask>, stop: CancellationToken) {
    let mut ticks = interval(WRITE_BEHIND_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut writer = Writer::new(Arc::clone(&sharing));
    let mut ends = false;
    while !ends || (writer.owes_ends() && sharing.may_wait_at_the_end()) {
        let mut pending = Vec::new();
        if ends {
            sharing.probe().await;
        }
        tokio::select! {
            () = stop.cancelled(), if !ends => ends = true,
            ask = asks.recv() => pending.extend(ask),
            () = sharing.rewrite_ends.notified() => writer.rewrite_ends(),
            _ = ticks.tick() => {}
        }
        while let Ok(ask) = asks.try_recv() {
            pending.push(ask);
        }
        // Claims first: a session whose end is claimed needs no other write, and its user waits.
        let (claims, flushes) = pending.into_iter().partition::<Vec<_>, _>(|ask| matches!(ask, Ask::Claim(..)));
        writer.claim(claims).await;
        writer.collect();
        writer.flush().await;
        for ask in flushes {
            if let Ask::Flushed(done) = ask {
                // A caller that has given up waiting needs no answer.
                let _ = done.send(());
            }
        }
    }
    if !writer.unwritten.is_empty() {
        warn!(
            sessions.unwritten = writer.unwritten.len(),
            sessions.ended = writer.owed_ends(),
            "the session store did not take every change before the end: sessions that have ended here may go on at other pods"
        );
    }
}

impl Writer {
    fn new(sharing: Arc<Sharing>) -> Self {
        Self {
            sharing,
            unwritten: HashMap::new(),
            dropping: false,
            again: BTreeMap::new(),
            deferred: BTreeMap::new(),
            recent_ends: VecDeque::new(),
            refused: HashSet::new(),
        }
    }

    /// Ends that the store has not taken.
    fn owed_ends(&self) -> usize {
        self.unwritten.values().filter(|unwritten| !matches!(unwritten, Unwritten::Put(_))).count()
    }

    fn owes_ends(&self) -> bool {
        self.owed_ends() > 0
    }

    /// Claims all together what callers ask for: one round to the store, however many they are. A caller that has given up
    /// waiting needs no answer.
    async fn claim(&self, asks: Vec<Ask>) {
        let (mut ends, mut renames, mut releases) = (Vec::new(), Vec::new(), Vec::new());
        for ask in asks {
            match ask {
                Ask::Claim(_, _, done) if done.is_closed() => {}
                Ask::Claim(sessions, ClaimFor::End, done) => ends.push((sessions, done)),
                Ask::Claim(sessions, ClaimFor::Rename, done) => renames.push((sessions, done)),
                Ask::Claim(sessions, ClaimFor::Release, done) => releases.push((sessions, done)),
                Ask::Flushed(_) => {}
            }
        }
        for (purpose, callers) in [(ClaimFor::End, ends), (ClaimFor::Rename, renames), (ClaimFor::Release, releases)] {
            let all: Vec<_> = callers.iter().flat_map(|(sessions, _)| sessions.iter().cloned()).collect();
            let mut claimed = self.sharing.claim_now(&all, purpose).await.into_iter();
            for (sessions, done) in callers {
                let claimed = claimed.by_ref().take(sessions.len()).collect();
                let _ = done.send(claimed);
            }
        }
    }

    /// The store may have gone back to a state before these.
    fn rewrite_ends(&mut self) {
        for (_, id, automatic) in std::mem::take(&mut self.recent_ends) {
            self.sharing.registry.add_tombstone(id);
            self.keep(id, Unwritten::Leave { automatic });
        }
    }

    fn collect(&mut self) {
        let now = self.sharing.clock.now();
        // No more than one batch: what has to wait for a part of the store must not hold up what has not.
        for _ in 0..BATCH {
            let due = [&mut self.again, &mut self.deferred]
                .into_iter()
                .find_map(|waiting| waiting.first_entry().filter(|first| first.key().0 <= now));
            let Some(due) = due else { break };
            let ((_, id), what) = due.remove_entry();
            self.keep(id, what);
        }
        for (id, request) in self.sharing.take_unasked() {
            match request {
                OwnerRequest::End { automatic } => self.end(id, Unwritten::Leave { automatic }),
                OwnerRequest::Rename(_) => self.end(id, Unwritten::Ask(request)),
            }
        }
        for change in self.sharing.registry.take_pending_writes() {
            match change {
                Change::Updated(session) => _ = self.unwritten.insert(session.id(), Unwritten::Put(session)),
                // Released before, with an acknowledgement, or another pod's by now.
                Change::Removed(_, Some(Outcome::Moved)) => {}
                Change::Removed(id, None | Some(Outcome::Logout | Outcome::AutoLogout)) => {
                    self.end(id, Unwritten::Leave { automatic: false });
                }
                // Released, though the store has not acknowledged it: the next pod may have it.
                Change::Removed(_, Some(Outcome::Forced | Outcome::Expired))
                    if self.sharing.is_released_at_the_end() => {}
                Change::Removed(id, Some(Outcome::Forced | Outcome::Expired)) => self.end(id, Unwritten::Delete),
            }
        }
    }

    /// Notes an end, as long as there are not too many of them.
    fn end(&mut self, id: SessionId, how: Unwritten) {
        if self.unwritten.contains_key(&id) || self.unwritten.len() + self.again.len() + self.deferred.len() < MAX_ENDS
        {
            self.unwritten.insert(id, how);
            return;
        }
        self.sharing.registry.remove_tombstone(id);
        if !std::mem::replace(&mut self.dropping, true) {
            warn!(unwritten.most = MAX_ENDS, "too much is unwritten: ends of sessions are dropped from now on");
        }
    }

    /// Writes all that was collected, until the store fails.
    async fn flush(&mut self) {
        let sharing = Arc::clone(&self.sharing);
        if sharing.health().is_writable() {
            send_unsent(&sharing).await;
            write_touches(&sharing).await;
        }
        let mut later = 0;
        while sharing.health().is_writable() && !self.unwritten.is_empty() {
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
            match sharing.health.written(sharing.store.write(writes).await, sharing.clock.now()) {
                Some(results) => {
                    for ((id, written_as, what), result) in batch.into_iter().zip(results) {
                        if result == Written::Later {
                            later += 1;
                            self.deferred.insert((sharing.clock.now().plus(RETRY_AFTER), id), what);
                        } else {
                            self.settle(written_as, &what, &result).await;
                        }
                    }
                }
                None => batch.into_iter().for_each(|(id, _, what)| self.keep(id, what)),
            }
        }
        match later {
            0 if self.deferred.is_empty() => sharing.health.nothing_owed(sharing.clock.now()),
            0 => {}
            _ => sharing.health.partly_failed(later, "it does not take every write", sharing.clock.now()),
        }
        self.dropping &= !self.unwritten.is_empty();
    }

    /// What is to be written; nothing for a session that has ended meanwhile, whose end is unwritten as well.
    fn as_write(&self, id: SessionId, what: &Unwritten) -> Option<Write> {
        let pod = self.sharing.config.pod.clone();
        match what {
            Unwritten::Put(session) if session.has_ended() => None,
            Unwritten::Put(session) => {
                let shared = self.sharing.shared(session);
                let idle = self.sharing.clock.now().since(shared.last_activity);
                Some(Write::Put { session: shared, idle, new: !session.is_stored() })
            }
            Unwritten::Leave { .. } | Unwritten::Delete => {
                let replaced_for = self.sharing.registry.remaining_replaced_ttl(id, self.sharing.clock.now());
                Some(Write::Delete { id, pod, replaced_for })
            }
            Unwritten::Ask(request) => Some(Write::Request { id, request: *request }),
        }
    }

    async fn settle(&mut self, id: SessionId, what: &Unwritten, result: &Written) {
        if let Written::Refused(reason) = result
            && self.refused.len() < MAX_ENDS
            && self.refused.insert(id)
        {
            warn!(session.id = %id, reason, "the session store cannot keep this session: the key holds something else");
        }
        match (what, result) {
            // A login may have given it another id meanwhile: then this says nothing of it.
            (Unwritten::Put(session), _) if session.id() != id => {}
            (Unwritten::Put(session), Written::Done) => session.mark_stored(id),
            // A store that is behind may name an earlier owner: the sweep finds out.
            (Unwritten::Put(_), Written::Elsewhere) if self.sharing.health.may_be_behind(self.sharing.clock.now()) => {
                self.sharing.sweep_all.notify_one();
            }
            (Unwritten::Put(session), Written::Elsewhere) => self.sharing.let_move(session),
            (Unwritten::Put(session), Written::Missing) => self.sharing.record_missing(session),
            (Unwritten::Put(_), Written::Refused(_) | Written::Later | Written::Asked(_)) => {}
            (Unwritten::Leave { automatic }, Written::Elsewhere) => {
                self.keep(id, Unwritten::Ask(OwnerRequest::End { automatic: *automatic }));
            }
            (Unwritten::Ask(request @ OwnerRequest::End { automatic }), Written::Done) => {
                self.tell_owner(id, *request).await;
                self.remember(id, *automatic);
                self.is_written(id, Unwritten::Leave { automatic: *automatic });
            }
            (Unwritten::Ask(request @ OwnerRequest::Rename(_)), written) => {
                if *written == Written::Done {
                    self.tell_owner(id, *request).await;
                }
                self.sharing.registry.remove_tombstone(id);
            }
            (Unwritten::Leave { automatic } | Unwritten::Ask(OwnerRequest::End { automatic }), _) => {
                self.remember(id, *automatic);
                self.is_written(id, Unwritten::Leave { automatic: *automatic });
            }
            (Unwritten::Delete, _) => {
                self.remember(id, false);
                self.is_written(id, Unwritten::Delete);
            }
        }
    }

    /// The request is in the entry: its owner is told to look.
    async fn tell_owner(&self, id: SessionId, request: OwnerRequest) {
        let sharing = &self.sharing;
        let now = sharing.clock.now();
        let Some(lookups) = sharing.health.read(sharing.store.lookup_many(vec![id]).await, now) else { return };
        if let Some(crate::store::Lookup::Found(found)) = lookups.lookups.into_iter().next() {
            sharing.tell(&found.pod, &Message::Asked(id, request)).await;
        }
    }

    fn remember(&mut self, id: SessionId, automatic: bool) {
        let now = self.sharing.clock.now();
        while self.recent_ends.front().is_some_and(|(at, ..)| at.plus(SETTLING) < now)
            || self.recent_ends.len() >= MAX_RECENT_ENDS
        {
            self.recent_ends.pop_front();
        }
        self.recent_ends.push_back((now, id, automatic));
    }

    /// An end is written; once more in a while where the store has just come back: what it was sent before it fell silent
    /// it may do only now, and a pod that holds the session may write it anew.
    fn is_written(&mut self, id: SessionId, end: Unwritten) {
        let now = self.sharing.clock.now();
        let settled = self.sharing.health.believes_leases(now);
        if settled {
            self.sharing.registry.remove_tombstone(id);
        } else {
            self.again.insert((now.plus(REPEAT_AFTER), id), end);
        }
    }

    /// Keeps what could not be written, unless there is something newer.
    fn keep(&mut self, id: SessionId, what: Unwritten) {
        if let Entry::Vacant(vacant) = self.unwritten.entry(id) {
            vacant.insert(what);
        }
    }
}

/// Sends what could not be sent.
async fn send_unsent(sharing: &Sharing) {
    let unsent = std::mem::take(&mut *super::locked(&sharing.unsent));
    for (pod, message) in unsent {
        sharing.tell(&pod, &message).await;
    }
}

/// Writes when guests were last active, and tells their owners.
async fn write_touches(sharing: &Sharing) {
    let taken: Vec<_> = {
        let touches = sharing.touches.pin();
        let some: Vec<_> = touches.iter().take(BATCH).map(|(id, (owner, at))| (*id, owner.clone(), *at)).collect();
        some.iter().for_each(|(id, ..)| _ = touches.remove(id));
        some
    };
    if taken.is_empty() {
        return;
    }
    let now = sharing.clock.now();
    let writes = taken.iter().map(|(id, _, at)| Write::Touch { id: *id, at: *at, idle: now.since(*at) }).collect();
    if sharing.health.written(sharing.store.write(writes).await, now).is_none() {
        let touches = sharing.touches.pin();
        for (id, owner, at) in taken {
            let newest = |(_, known): &(PodName, Timestamp)| (owner.clone(), at.max(*known));
            touches.update_or_insert(id, newest, (owner.clone(), at));
        }
        return;
    }
    let mut active: HashMap<PodName, Vec<SessionId>> = HashMap::new();
    for (id, owner, _) in taken {
        active.entry(owner).or_default().push(id);
    }
    for (owner, ids) in active {
        sharing.tell(&owner, &Message::Active(ids)).await;
    }
}
