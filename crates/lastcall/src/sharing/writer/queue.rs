//! The writes that are pending: the newest of each session, those that are retried, and ends that are repeated.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use session_domain::{SessionId, Timestamp};
use tracing::warn;

use crate::sessions::live::LiveSession;
use crate::store::OwnerRequest;
use crate::store_health::SETTLING;

/// Pending ends that are kept while the store is unavailable, beyond the sessions held. Further ones are dropped: such an
/// entry stays in the store until its time to live is over.
pub(super) const MAX_PENDING: usize = 1_000_000;

/// Acknowledged ends that are remembered for a while, in case the store goes back to an earlier state.
const MAX_RECENT_ENDS: usize = 100_000;

/// Something that has to be written.
#[derive(Debug)]
pub(super) enum PendingWrite {
    /// The session as it is when it is written.
    Put(LiveSession),
    /// The session's user has logged out, or it has another id. Where it lives on another pod by now, that pod ends it.
    End { automatic: bool },
    /// The session was forced or has expired.
    Delete,
    /// The session lives on another pod: its owner is asked.
    Request(OwnerRequest),
}

/// An end that the store has acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecentEnd {
    at: Timestamp,
    pub(super) id: SessionId,
    pub(super) automatic: bool,
}

/// The pending writes.
#[derive(Debug, Default)]
pub(super) struct WriteQueue {
    pending: HashMap<SessionId, PendingWrite>,
    /// Ends that are written once more at that time. A server may execute what it was sent before it fell silent after what it
    /// was sent when it returned.
    repeats: BTreeMap<(Timestamp, SessionId), PendingWrite>,
    /// Writes that met a part of the store that is unavailable, and are retried at that time.
    retries: BTreeMap<(Timestamp, SessionId), PendingWrite>,
    /// The oldest first.
    recent_ends: VecDeque<RecentEnd>,
    is_dropping: bool,
}

impl WriteQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// The number of ends that the store has not taken.
    pub(super) fn pending_ends(&self) -> usize {
        self.pending.values().filter(|write| !matches!(write, PendingWrite::Put(_))).count()
    }

    pub(super) fn has_retries(&self) -> bool {
        !self.retries.is_empty()
    }

    /// Queues the session's state in place of anything older.
    pub(super) fn put(&mut self, session: LiveSession) {
        self.pending.insert(session.id(), PendingWrite::Put(session));
    }

    /// Queues an end in place of anything older. `false` where too much is pending, and the end is dropped.
    pub(super) fn end(&mut self, id: SessionId, write: PendingWrite) -> bool {
        let size = self.pending.len() + self.repeats.len() + self.retries.len();
        if size < MAX_PENDING || self.pending.contains_key(&id) {
            self.pending.insert(id, write);
            return true;
        }
        if !std::mem::replace(&mut self.is_dropping, true) {
            warn!(pending.max = MAX_PENDING, "too many writes are pending: ends of sessions are dropped from now on");
        }
        false
    }

    /// Queues what could not be written, unless there is something newer.
    pub(super) fn restore(&mut self, id: SessionId, write: PendingWrite) {
        if let Entry::Vacant(vacant) = self.pending.entry(id) {
            vacant.insert(write);
        }
    }

    pub(super) fn repeat_at(&mut self, time: Timestamp, id: SessionId, write: PendingWrite) {
        self.repeats.insert((time, id), write);
    }

    pub(super) fn retry_at(&mut self, time: Timestamp, id: SessionId, write: PendingWrite) {
        self.retries.insert((time, id), write);
    }

    /// Queues at most `limit` repeats and retries whose time has come: those must not hold up the other writes.
    pub(super) fn queue_due(&mut self, now: Timestamp, limit: usize) {
        for _ in 0..limit {
            let due = [&mut self.repeats, &mut self.retries]
                .into_iter()
                .find_map(|waiting| waiting.first_entry().filter(|first| first.key().0 <= now));
            let Some(due) = due else { return };
            let ((_, id), write) = due.remove_entry();
            self.restore(id, write);
        }
    }

    /// Takes at most `limit` pending writes.
    pub(super) fn take_batch(&mut self, limit: usize) -> Vec<(SessionId, PendingWrite)> {
        let ids: Vec<_> = self.pending.keys().take(limit).copied().collect();
        ids.iter().filter_map(|id| self.pending.remove_entry(id)).collect()
    }

    /// Ends of sessions are no longer dropped where nothing is pending.
    pub(super) fn record_flushed(&mut self) {
        self.is_dropping &= !self.pending.is_empty();
    }

    /// Remembers an end that the store has acknowledged.
    pub(super) fn record_end(&mut self, id: SessionId, automatic: bool, now: Timestamp) {
        while self.recent_ends.front().is_some_and(|end| end.at.plus(SETTLING) < now)
            || self.recent_ends.len() >= MAX_RECENT_ENDS
        {
            self.recent_ends.pop_front();
        }
        self.recent_ends.push_back(RecentEnd { at: now, id, automatic });
    }

    pub(super) fn take_recent_ends(&mut self) -> VecDeque<RecentEnd> {
        std::mem::take(&mut self.recent_ends)
    }
}
