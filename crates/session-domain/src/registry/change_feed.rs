//! What watchers are sent, and when: changes in the order in which they happened, each session at most once an interval.
//!
//! If a session changes several times, only its newest change is kept: it carries the whole state. A change that is not due
//! yet holds back the changes after it, so that the order holds across all sessions. The delay stays below one interval.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use super::change_queue::Change;
use crate::ids::SessionId;
use crate::time::Timestamp;

/// Changes that wait to be sent. Holds at most one change a session, and the ids that were sent within the last interval.
#[derive(Debug)]
pub struct ChangeFeed<X> {
    interval: Duration,
    /// By sequence number, that is in the order in which they happened.
    waiting: BTreeMap<u64, (SessionId, Change<X>)>,
    /// The sequence number of each session's change in `waiting`.
    newest: HashMap<SessionId, u64>,
    next_number: u64,
    /// When each session was last sent, if that was within the interval.
    sent_at: HashMap<SessionId, Timestamp>,
    /// The same, oldest first.
    sent: VecDeque<(Timestamp, SessionId)>,
}

impl<X> ChangeFeed<X> {
    /// Makes a feed that sends a session at most once in `interval`.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            waiting: BTreeMap::new(),
            newest: HashMap::new(),
            next_number: 0,
            sent_at: HashMap::new(),
            sent: VecDeque::new(),
        }
    }

    /// Adds the changes since the last call, in order.
    pub fn extend(&mut self, changes: impl IntoIterator<Item = Change<X>>) {
        for change in changes {
            let id = change.id();
            self.next_number += 1;
            if let Some(superseded) = self.newest.insert(id, self.next_number) {
                self.waiting.remove(&superseded);
            }
            self.waiting.insert(self.next_number, (id, change));
        }
    }

    /// Takes the changes that may be sent now, in order. No session occurs twice among them.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Change<X>> {
        self.expire_sent(now);
        let mut due = Vec::new();
        while let Some(entry) = self.waiting.first_entry() {
            if self.sent_at.contains_key(&entry.get().0) {
                break;
            }
            let (id, change) = entry.remove();
            self.newest.remove(&id);
            if change.is_outdated(id) {
                continue;
            }
            self.sent_at.insert(id, now);
            self.sent.push_back((now, id));
            due.push(change);
        }
        due
    }

    /// Takes all changes, due or not, because nothing can be sent later.
    pub fn take_rest(&mut self) -> Vec<Change<X>> {
        self.newest.clear();
        let waiting = std::mem::take(&mut self.waiting).into_values();
        waiting.filter(|(id, change)| !change.is_outdated(*id)).map(|(_, change)| change).collect()
    }

    fn expire_sent(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.sent.front().copied()
            && at.plus(self.interval) <= now
        {
            self.sent.pop_front();
            self.sent_at.remove(&id);
        }
    }
}

impl<X> Change<X> {
    /// The id that the change is about.
    fn id(&self) -> SessionId {
        match self {
            Self::Updated(session) => session.id(),
            Self::Removed(id, _) => *id,
        }
    }

    /// Whether the session has ended or was renamed since this change of `id` was added. A newer change says so.
    fn is_outdated(&self, id: SessionId) -> bool {
        match self {
            Self::Updated(session) => session.has_ended() || session.id() != id,
            Self::Removed(..) => false,
        }
    }
}

#[cfg(test)]
mod tests;
