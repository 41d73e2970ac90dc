//! The memory of this process as a store: for services that share one process, and for tests of what pods agree on.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use session_domain::shared::Owner;
use session_domain::{PodName, SessionId};
use tokio::time::Instant;
use tonic::async_trait;

use super::{Adoption, Calls, Entry, Epoch, Glance, Seen, SessionStore, StoreError, Wish, Write, Written};

/// Sessions in the memory of this process.
#[derive(Default)]
pub struct MemoryStore(Mutex<Contents>);

impl std::fmt::Debug for MemoryStore {
    /// Shows nothing of what is in it: a secret is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// An entry, and when its session was active last by the clock of this process.
struct Kept {
    entry: Entry,
    active: Instant,
}

#[derive(Default)]
struct Contents {
    entries: HashMap<SessionId, Kept>,
    leases: HashMap<PodName, (bool, Instant)>,
    calls: HashMap<PodName, Vec<SessionId>>,
    secret: Option<String>,
    epoch: Option<Epoch>,
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
        *self.lock() = Contents::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
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
                    let entry = Entry { session, wish: None, from: None };
                    self.entries.insert(entry.session.id, Kept { entry, active: before(now, idle) });
                }
                None => return Written::Missing,
            },
            Write::TakeOut { id, .. } if self.is_renamed(id) => return Written::Elsewhere,
            Write::Delete { id, pod } | Write::TakeOut { id, pod } => match self.entries.get(&id) {
                Some(Kept { entry, .. }) if entry.session.pod != pod => return Written::Elsewhere,
                Some(_) => _ = self.entries.remove(&id),
                None => return Written::Missing,
            },
            Write::Release { id, pod } => match self.entries.get_mut(&id) {
                Some(Kept { entry, .. }) if entry.session.pod != pod => return Written::Elsewhere,
                Some(Kept { entry, .. }) => entry.session.streaming = false,
                None => {}
            },
            Write::Touch { id, at, idle } => {
                let active = before(now, idle);
                if let Some(kept) = self.entries.get_mut(&id).filter(|kept| kept.active < active) {
                    kept.active = active;
                    kept.entry.session.last_activity = at;
                }
            }
            Write::Wish { id, wish } => match self.entries.get_mut(&id) {
                Some(Kept { entry, .. }) => entry.wish = Some(wish),
                None => return Written::Missing,
            },
        }
        Written::Done
    }
}

impl Contents {
    fn is_renamed(&self, id: SessionId) -> bool {
        self.entries.get(&id).is_some_and(|kept| matches!(kept.entry.wish, Some(Wish::Rename(_))))
    }
}

fn before(now: Instant, idle: Duration) -> Instant {
    now.checked_sub(idle).unwrap_or(now)
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn read(&self, id: SessionId) -> Result<Option<Entry>, StoreError> {
        Ok(self.lock().entries.get(&id).map(|kept| kept.entry.clone()))
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError> {
        let mut contents = self.lock();
        let Some(Kept { entry, .. }) = contents.entries.get_mut(&adoption.id) else { return Ok(None) };
        let changed = entry.session.pod != adoption.from || entry.wish.is_some();
        if changed || (adoption.unless_streaming && entry.session.streaming) {
            return Ok(None);
        }
        if adoption.from != adoption.by {
            entry.from = Some(adoption.from.clone());
        }
        entry.session.pod = adoption.by.clone();
        entry.session.streaming = adoption.streaming;
        Ok(Some(entry.clone()))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError> {
        let mut contents = self.lock();
        Ok(writes.into_iter().map(|write| contents.write(write)).collect())
    }

    async fn look(&self, ids: Vec<SessionId>) -> Result<Vec<Seen>, StoreError> {
        let contents = self.lock();
        let look = |id| match contents.entries.get(&id) {
            Some(Kept { entry: Entry { session, wish, .. }, active }) => {
                Seen::There(Glance { pod: session.pod.clone(), idle: active.elapsed(), wish: *wish })
            }
            None => Seen::Missing,
        };
        Ok(ids.into_iter().map(look).collect())
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        Ok(match self.lock().leases.get(pod) {
            Some((_, until)) if *until <= Instant::now() => Owner::Gone,
            Some((true, _)) => Owner::Draining,
            Some((false, _)) => Owner::Alive,
            None => Owner::Gone,
        })
    }

    async fn renew(&self, pod: &PodName, draining: bool, lease: Duration) -> Result<Epoch, StoreError> {
        let mut contents = self.lock();
        contents.leases.insert(pod.clone(), (draining, Instant::now() + lease));
        Ok(*contents.epoch.get_or_insert_with(|| fastrand::u64(..)))
    }

    async fn leave(&self, pod: &PodName) -> Result<(), StoreError> {
        self.lock().leases.remove(pod);
        Ok(())
    }

    async fn call(&self, pod: &PodName, id: SessionId) -> Result<(), StoreError> {
        self.lock().calls.entry(pod.clone()).or_default().push(id);
        Ok(())
    }

    async fn calls(&self, pod: &PodName) -> Result<Calls, StoreError> {
        let ids = self.lock().calls.get(pod).cloned().unwrap_or_default();
        Ok(Calls { count: ids.len(), ids })
    }

    async fn answered(&self, pod: &PodName, count: usize) -> Result<(), StoreError> {
        if let Some(calls) = self.lock().calls.get_mut(pod) {
            calls.drain(..count.min(calls.len()));
        }
        Ok(())
    }

    async fn agree_on_secret(&self, proposal: &str) -> Result<String, StoreError> {
        Ok(self.lock().secret.get_or_insert_with(|| proposal.to_owned()).clone())
    }
}
