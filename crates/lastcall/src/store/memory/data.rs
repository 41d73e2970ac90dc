//! The data of a [`MemoryStore`](super::MemoryStore), and what writes change in it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use session_domain::registry::REPLACED_TTL;
use session_domain::shared::SharedTask;
use session_domain::{PodName, SessionId, Timestamp};
use tokio::time::Instant;

use super::super::{
    Contents, Epoch, InboxPage, InboxPosition, Lease, Message, OwnerRequest, SessionEntry, Write, WriteOutcome,
};

/// An entry, and when its session was last active by the clock of this process.
#[derive(Clone)]
pub(super) struct StoredEntry {
    pub(super) entry: SessionEntry,
    pub(super) active: Instant,
    /// When each task of the entry, in their order, ceases to count as running.
    pub(super) tasks_until: Vec<Instant>,
}

impl StoredEntry {
    /// The entry, with the remaining times of its tasks.
    pub(super) fn read(&self) -> SessionEntry {
        let mut entry = self.entry.clone();
        for (task, until) in entry.tasks.iter_mut().zip(&self.tasks_until) {
            task.remaining = until.saturating_duration_since(Instant::now());
        }
        entry
    }

    fn put_task(&mut self, task: SharedTask, new: bool) -> WriteOutcome {
        let until = Instant::now() + task.remaining;
        match self.entry.tasks.iter().position(|known| known.id == task.id) {
            Some(index) => (self.entry.tasks[index], self.tasks_until[index]) = (task, until),
            None if new => {
                self.entry.tasks.push(task);
                self.tasks_until.push(until);
            }
            None => return WriteOutcome::Missing,
        }
        WriteOutcome::Done
    }
}

#[derive(Clone, Default)]
pub(super) struct StoredData {
    pub(super) entries: HashMap<SessionId, StoredEntry>,
    /// Each with the end of its duration.
    pub(super) leases: HashMap<PodName, (Lease, Instant)>,
    pub(super) inboxes: HashMap<PodName, BTreeMap<u64, Message>>,
    pub(super) secrets: HashMap<String, Timestamp>,
    /// Ids that logins have replaced, and until when they count as replaced.
    replaced: HashMap<SessionId, Instant>,
    pub(super) epoch: Option<Epoch>,
    pub(super) settling_until: Option<Instant>,
}

impl StoredData {
    pub(super) fn write(&mut self, write: Write) -> WriteOutcome {
        match write {
            Write::Put { session, idle, new } => {
                let (now, id) = (Instant::now(), session.id);
                match self.entries.get_mut(&id) {
                    Some(stored) if stored.entry.session.pod != session.pod => return WriteOutcome::NotOwner,
                    Some(stored) => {
                        let (known, active) = (stored.entry.session.last_activity, before(now, idle));
                        stored.entry.session = session;
                        if stored.active > active {
                            stored.entry.session.last_activity = known;
                        }
                        stored.active = stored.active.max(active);
                    }
                    None if new => {
                        let entry = SessionEntry {
                            session,
                            request: None,
                            previous_owner: None,
                            tasks: Vec::new(),
                            is_replaced: false,
                        };
                        let active = before(now, idle);
                        self.entries.insert(id, StoredEntry { entry, active, tasks_until: Vec::new() });
                    }
                    None => return WriteOutcome::Missing,
                }
            }
            Write::Release { session, idle, new } => match self.request(session.id) {
                Some(request @ OwnerRequest::End { .. }) if self.is_owned(session.id, &session.pod) => {
                    return WriteOutcome::Requested(request);
                }
                Some(_) | None => return self.write(Write::Put { session, idle, new }),
            },
            Write::ClaimEnd { id, pod, replaced_for } => match self.request(id) {
                Some(OwnerRequest::Rename(_)) => return WriteOutcome::NotOwner,
                Some(request @ OwnerRequest::End { .. }) if self.is_owned(id, &pod) => {
                    self.entries.remove(&id);
                    return WriteOutcome::Requested(request);
                }
                Some(OwnerRequest::End { .. }) | None => return self.write(Write::Delete { id, pod, replaced_for }),
            },
            Write::Delete { id, pod, replaced_for } => {
                if self.entries.contains_key(&id) && !self.is_owned(id, &pod) {
                    return WriteOutcome::NotOwner;
                }
                if let Some(duration) = replaced_for {
                    self.mark_replaced(id, duration);
                }
                if self.entries.remove(&id).is_none() {
                    return WriteOutcome::Missing;
                }
            }
            Write::ExtendTtl { id } if !self.entries.contains_key(&id) => return WriteOutcome::Missing,
            // Entries in memory have no time to live.
            Write::ExtendTtl { .. } => {}
            Write::Touch { id, at, idle } => {
                let active = before(Instant::now(), idle);
                match self.entries.get_mut(&id) {
                    Some(stored) if stored.active < active => {
                        stored.active = active;
                        stored.entry.session.last_activity = at;
                    }
                    Some(_) => {}
                    None => return WriteOutcome::Missing,
                }
            }
            Write::PutTask { id, task, new } => match self.entries.get_mut(&id) {
                Some(stored) => return stored.put_task(task, new),
                None => return WriteOutcome::Missing,
            },
            Write::EndTask { id, task } => {
                let Some(stored) = self.entries.get_mut(&id) else { return WriteOutcome::Missing };
                let known = stored.entry.tasks.iter().position(|known| known.id == task);
                let Some(index) = known else { return WriteOutcome::Missing };
                stored.entry.tasks.remove(index);
                stored.tasks_until.remove(index);
            }
            Write::Request { id, request } => match self.entries.get_mut(&id) {
                Some(stored) => {
                    stored.entry.request = Some(request);
                    if matches!(request, OwnerRequest::Rename(_)) {
                        self.mark_replaced(id, REPLACED_TTL);
                    }
                }
                None => return WriteOutcome::Missing,
            },
        }
        WriteOutcome::Done
    }

    pub(super) fn contents(&self) -> Contents {
        let settling = self.settling_until.is_some_and(|until| Instant::now() < until);
        Contents { epoch: self.epoch, settling }
    }

    pub(super) fn is_replaced(&self, id: SessionId) -> bool {
        self.replaced.get(&id).is_some_and(|until| *until > Instant::now())
    }

    /// The messages after the number `after`.
    pub(super) fn inbox(&self, pod: &PodName, after: u64) -> InboxPage {
        let Some(inbox) = self.inboxes.get(pod) else { return InboxPage::default() };
        let messages: Vec<_> = inbox.range(after + 1..).collect();
        let last = messages.last().map(|(number, _)| InboxPosition::new(number.to_string()));
        InboxPage { messages: messages.into_iter().map(|(_, message)| message.clone()).collect(), last }
    }

    fn mark_replaced(&mut self, id: SessionId, duration: Duration) {
        let now = Instant::now();
        self.replaced.retain(|_, until| *until > now);
        self.replaced.insert(id, now + duration);
    }

    fn request(&self, id: SessionId) -> Option<OwnerRequest> {
        self.entries.get(&id)?.entry.request
    }

    fn is_owned(&self, id: SessionId, pod: &PodName) -> bool {
        self.entries.get(&id).is_some_and(|stored| stored.entry.session.pod == *pod)
    }
}

fn before(now: Instant, idle: Duration) -> Instant {
    now.checked_sub(idle).unwrap_or(now)
}
