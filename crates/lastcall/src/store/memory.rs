//! The memory of this process as a store: for services that share one process, and for tests of what pods agree on.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use session_domain::registry::REPLACED_TTL;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{
    Adoption, AgedSecret, Contents, Entry, Epoch, Inbox, Lease, Lookup, Lookups, Message, OwnerRequest, Position,
    Reading, Renewed, SessionStore, StoreError, Summary, Write, Written,
};

/// Sessions in the memory of this process.
#[derive(Default)]
pub struct MemoryStore {
    contents: Mutex<Held>,
    /// The number of the last message. Not part of the contents: a position stays behind what is sent later.
    last_message: AtomicU64,
    sent: Notify,
}

impl std::fmt::Debug for MemoryStore {
    /// Shows nothing of the contents: a secret is among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// An entry, and when its session was last active by the clock of this process.
#[derive(Clone)]
struct Kept {
    entry: Entry,
    active: Instant,
}

#[derive(Clone, Default)]
struct Held {
    entries: HashMap<SessionId, Kept>,
    leases: HashMap<PodName, (Lease, Instant)>,
    inboxes: HashMap<PodName, BTreeMap<u64, Message>>,
    secrets: HashMap<String, Timestamp>,
    /// Ids that logins have replaced, and until when that is known.
    replaced: HashMap<SessionId, Instant>,
    epoch: Option<Epoch>,
    settling_until: Option<Instant>,
}

/// The contents of a [`MemoryStore`] at one moment.
#[derive(Clone)]
pub struct MemorySnapshot(Held);

impl std::fmt::Debug for MemorySnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySnapshot").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every entry, in no order.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.values().map(|kept| kept.entry.clone()).collect()
    }

    /// Loses everything, as a server does that comes back without its data.
    pub fn lose_everything(&self) {
        *self.lock() = Held::default();
    }

    /// The contents now.
    pub fn snapshot(&self) -> MemorySnapshot {
        MemorySnapshot(self.lock().clone())
    }

    /// Goes back to earlier contents, as a replica does that was behind when it was promoted.
    pub fn restore(&self, snapshot: &MemorySnapshot) {
        *self.lock() = snapshot.0.clone();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn write(&mut self, write: Write) -> Written {
        let now = Instant::now();
        match write {
            Write::Put { session, idle, new } => match self.entries.get_mut(&session.id) {
                Some(Kept { entry, .. }) if entry.session.pod != session.pod => return Written::Elsewhere,
                Some(kept) => {
                    let (known, active) = (kept.entry.session.last_activity, before(now, idle));
                    kept.entry.session = session;
                    if kept.active > active {
                        kept.entry.session.last_activity = known;
                    }
                    kept.active = kept.active.max(active);
                }
                None if new => {
                    let entry = Entry { session, request: None, previous_owner: None, is_replaced: false };
                    self.entries.insert(entry.session.id, Kept { entry, active: before(now, idle) });
                }
                None => return Written::Missing,
            },
            Write::Release { session, idle, new } => match self.request(session.id) {
                Some(request @ OwnerRequest::End { .. }) if self.is_owned(session.id, &session.pod) => {
                    return Written::Asked(request);
                }
                Some(_) | None => return self.write(Write::Put { session, idle, new }),
            },
            Write::ClaimEnd { id, pod, replaced_for } => match self.request(id) {
                Some(OwnerRequest::Rename(_)) => return Written::Elsewhere,
                Some(request @ OwnerRequest::End { .. }) if self.is_owned(id, &pod) => {
                    self.entries.remove(&id);
                    return Written::Asked(request);
                }
                Some(OwnerRequest::End { .. }) | None => return self.write(Write::Delete { id, pod, replaced_for }),
            },
            Write::Delete { id, pod, replaced_for } => {
                if self.entries.contains_key(&id) && !self.is_owned(id, &pod) {
                    return Written::Elsewhere;
                }
                if let Some(duration) = replaced_for {
                    self.note_replaced(id, duration);
                }
                if self.entries.remove(&id).is_none() {
                    return Written::Missing;
                }
            }
            Write::Keep { id } => {
                if !self.entries.contains_key(&id) {
                    return Written::Missing;
                }
            }
            Write::Touch { id, at, idle } => {
                let active = before(now, idle);
                if let Some(kept) = self.entries.get_mut(&id).filter(|kept| kept.active < active) {
                    kept.active = active;
                    kept.entry.session.last_activity = at;
                }
            }
            Write::Request { id, request } => match self.entries.get_mut(&id) {
                Some(Kept { entry, .. }) => {
                    entry.request = Some(request);
                    if matches!(request, OwnerRequest::Rename(_)) {
                        self.note_replaced(id, REPLACED_TTL);
                    }
                }
                None => return Written::Missing,
            },
        }
        Written::Done
    }

    fn contents(&self) -> Contents {
        let settling = self.settling_until.is_some_and(|until| Instant::now() < until);
        Contents { epoch: self.epoch, settling }
    }

    fn note_replaced(&mut self, id: SessionId, duration: Duration) {
        let now = Instant::now();
        self.replaced.retain(|_, until| *until > now);
        self.replaced.insert(id, now + duration);
    }

    fn is_replaced(&self, id: SessionId) -> bool {
        self.replaced.get(&id).is_some_and(|until| *until > Instant::now())
    }

    fn request(&self, id: SessionId) -> Option<OwnerRequest> {
        self.entries.get(&id)?.entry.request
    }

    fn is_owned(&self, id: SessionId, pod: &PodName) -> bool {
        self.entries.get(&id).is_some_and(|kept| kept.entry.session.pod == *pod)
    }

    fn inbox(&self, pod: &PodName, after: u64) -> Inbox {
        let Some(inbox) = self.inboxes.get(pod) else { return Inbox::default() };
        let messages: Vec<_> = inbox.range(after + 1..).collect();
        let last = messages.last().map(|(number, _)| Position(number.to_string()));
        Inbox { messages: messages.into_iter().map(|(_, message)| message.clone()).collect(), last }
    }
}

fn before(now: Instant, idle: Duration) -> Instant {
    now.checked_sub(idle).unwrap_or(now)
}

fn number(position: &Position) -> u64 {
    position.0.parse().unwrap_or(0)
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn read(&self, id: SessionId) -> Result<Reading, StoreError> {
        let held = self.lock();
        Ok(match held.entries.get(&id) {
            Some(Kept { entry, .. }) => {
                let is_replaced = entry.is_to_be_renamed() && held.is_replaced(id);
                Reading::Found(Box::new(Entry { is_replaced, ..entry.clone() }))
            }
            None if held.is_replaced(id) => Reading::Replaced,
            None => Reading::Absent(held.contents()),
        })
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError> {
        let mut held = self.lock();
        let Some(Kept { entry, .. }) = held.entries.get_mut(&adoption.id) else { return Ok(None) };
        let changed = entry.session.pod != adoption.from || entry.request.is_some();
        if changed || (adoption.unless_streaming && entry.session.streaming) {
            return Ok(None);
        }
        if adoption.from != adoption.by {
            entry.previous_owner = Some(adoption.from.clone());
        }
        entry.session.pod = adoption.by.clone();
        entry.session.streaming = adoption.streaming;
        Ok(Some(entry.clone()))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError> {
        let mut held = self.lock();
        Ok(writes.into_iter().map(|write| held.write(write)).collect())
    }

    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
        let held = self.lock();
        let lookup = |id| match held.entries.get(&id) {
            Some(Kept { entry: Entry { session, request, .. }, active }) => {
                Lookup::Found(Summary { pod: session.pod.clone(), idle: active.elapsed(), request: *request })
            }
            None => Lookup::Absent,
        };
        let lookups: Vec<_> = ids.into_iter().map(lookup).collect();
        let contents = lookups.contains(&Lookup::Absent).then(|| held.contents());
        Ok(Lookups { lookups, contents })
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        let now = Instant::now();
        let held = self.lock();
        let Some((lease, until)) = held.leases.get(pod).filter(|(_, until)| *until > now) else {
            return Ok(Owner::Gone);
        };
        let age = lease.duration.saturating_sub(*until - now);
        let notice = lease.notice.map(|mut notice| {
            notice.remaining = notice.remaining.saturating_sub(age);
            notice
        });
        Ok(if lease.draining { Owner::Draining(notice) } else { Owner::Alive(notice) })
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let mut held = self.lock();
        let now = Instant::now();
        let before = held.leases.insert(lease.pod.clone(), (lease.clone(), now + lease.duration));
        let is_new = held.epoch.is_none();
        let epoch = *held.epoch.get_or_insert_with(|| fastrand::u64(..));
        Ok(Renewed { epoch, is_new, lapsed: before.is_none_or(|(_, until)| until <= now) })
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        Ok(self.lock().contents())
    }

    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError> {
        self.lock().settling_until = Some(Instant::now() + duration);
        Ok(())
    }

    async fn leave(&self, pod: &PodName) -> Result<(), StoreError> {
        self.lock().leases.remove(pod);
        Ok(())
    }

    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError> {
        let mut held = self.lock();
        let number = self.last_message.fetch_add(1, Ordering::Relaxed) + 1;
        held.inboxes.entry(pod.clone()).or_default().insert(number, message.clone());
        drop(held);
        self.sent.notify_waiters();
        Ok(())
    }

    async fn inbox(&self, pod: &PodName, after: &Position, wait: Duration) -> Result<Inbox, StoreError> {
        let arrives = async {
            loop {
                let sent = self.sent.notified();
                let inbox = self.lock().inbox(pod, number(after));
                if inbox.last.is_some() {
                    return inbox;
                }
                sent.await;
            }
        };
        Ok(timeout(wait, arrives).await.unwrap_or_default())
    }

    async fn acknowledge(&self, pod: &PodName, through: &Position) -> Result<(), StoreError> {
        if let Some(inbox) = self.lock().inboxes.get_mut(pod) {
            *inbox = inbox.split_off(&(number(through) + 1));
        }
        Ok(())
    }

    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError> {
        let mut held = self.lock();
        for AgedSecret { secret, created } in ours {
            let known = held.secrets.entry(secret.clone()).or_insert(*created);
            *known = (*known).min(*created);
        }
        let secrets = held.secrets.iter();
        Ok(secrets.map(|(secret, created)| AgedSecret { secret: secret.clone(), created: *created }).collect())
    }
}
