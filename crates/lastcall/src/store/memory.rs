//! The memory of this process as a store: for services that share one process, for tests, and as the reference for other stores.

mod data;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use data::{StoredData, StoredEntry};
use parking_lot::Mutex;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{
    Adoption, AgedSecret, Contents, InboxPage, InboxPosition, Lease, LeaseRenewal, Lookup, Lookups, Message,
    ReadOutcome, SessionEntry, SessionStore, StoreError, Summary, Write, WriteOutcome,
};

/// Sessions in the memory of this process. They do not expire.
#[derive(Default)]
pub struct MemoryStore {
    data: Mutex<StoredData>,
    /// The number of the last message. It survives [`MemoryStore::restore`]: later messages come after a position that was read.
    last_message: AtomicU64,
    message_sent: Notify,
}

impl std::fmt::Debug for MemoryStore {
    /// Shows none of the data: secrets are among it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// The data of a [`MemoryStore`] at one moment.
#[derive(Clone)]
pub struct MemorySnapshot(StoredData);

impl std::fmt::Debug for MemorySnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySnapshot").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns every entry, in no order.
    pub fn entries(&self) -> Vec<SessionEntry> {
        self.data.lock().entries.values().map(|stored| stored.entry.clone()).collect()
    }

    /// Loses all data, as a server does that restarts without persistence.
    pub fn lose_everything(&self) {
        *self.data.lock() = StoredData::default();
    }

    /// Copies the data.
    pub fn snapshot(&self) -> MemorySnapshot {
        MemorySnapshot(self.data.lock().clone())
    }

    /// Goes back to earlier data, as a replica does that was behind when it was promoted.
    pub fn restore(&self, snapshot: &MemorySnapshot) {
        *self.data.lock() = snapshot.0.clone();
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn read(&self, id: SessionId) -> Result<ReadOutcome, StoreError> {
        let data = self.data.lock();
        Ok(match data.entries.get(&id) {
            Some(stored) => {
                let entry = stored.read();
                let is_replaced = entry.is_to_be_renamed() && data.is_replaced(id);
                ReadOutcome::Found(Box::new(SessionEntry { is_replaced, ..entry }))
            }
            None if data.is_replaced(id) => ReadOutcome::Replaced,
            None => ReadOutcome::Absent(data.contents()),
        })
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<SessionEntry>, StoreError> {
        let mut data = self.data.lock();
        let Some(stored) = data.entries.get_mut(&adoption.id) else { return Ok(None) };
        let entry = &mut stored.entry;
        let has_changed = entry.session.pod != adoption.from || entry.request.is_some();
        if has_changed || (adoption.unless_pinned && entry.session.pinned) {
            return Ok(None);
        }
        if adoption.from != adoption.to {
            entry.previous_owner = Some(adoption.from.clone());
        }
        entry.session.pod = adoption.to.clone();
        entry.session.pinned = adoption.pinned;
        Ok(Some(stored.read()))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, StoreError> {
        let mut data = self.data.lock();
        Ok(writes.into_iter().map(|write| data.write(write)).collect())
    }

    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
        let data = self.data.lock();
        let lookup = |id| match data.entries.get(&id) {
            Some(StoredEntry { entry: SessionEntry { session, request, .. }, active, .. }) => Lookup::Found(Summary {
                pod: session.pod.clone(),
                idle: active.elapsed(),
                request: *request,
                protected: session.protected,
            }),
            None => Lookup::Absent,
        };
        let lookups: Vec<_> = ids.into_iter().map(lookup).collect();
        let contents = lookups.contains(&Lookup::Absent).then(|| data.contents());
        Ok(Lookups { lookups, contents })
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        let now = Instant::now();
        let data = self.data.lock();
        let Some((lease, until)) = data.leases.get(pod).filter(|(_, until)| *until > now) else {
            return Ok(Owner::Gone);
        };
        let age = lease.duration.saturating_sub(*until - now);
        let owner = if lease.draining { Owner::Draining(lease.notice) } else { Owner::Alive(lease.notice) };
        Ok(owner.aged(age))
    }

    async fn adopters(&self) -> Result<Vec<PodName>, StoreError> {
        let (now, data) = (Instant::now(), self.data.lock());
        let adopters = data.leases.values().filter(|(lease, until)| lease.adopter && *until > now);
        Ok(adopters.map(|(lease, _)| lease.pod.clone()).collect())
    }

    async fn renew_lease(&self, lease: &Lease) -> Result<LeaseRenewal, StoreError> {
        let mut data = self.data.lock();
        let now = Instant::now();
        let before = data.leases.insert(lease.pod.clone(), (lease.clone(), now + lease.duration));
        let is_new = data.epoch.is_none();
        let epoch = *data.epoch.get_or_insert_with(|| fastrand::u64(..));
        Ok(LeaseRenewal { epoch, is_new, had_lapsed: before.is_none_or(|(_, until)| until <= now) })
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        Ok(self.data.lock().contents())
    }

    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError> {
        self.data.lock().settling_until = Some(Instant::now() + duration);
        Ok(())
    }

    async fn release_lease(&self, pod: &PodName) -> Result<(), StoreError> {
        self.data.lock().leases.remove(pod);
        Ok(())
    }

    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError> {
        {
            let mut data = self.data.lock();
            let number = self.last_message.fetch_add(1, Ordering::Relaxed) + 1;
            data.inboxes.entry(pod.clone()).or_default().insert(number, message.clone());
        }
        self.message_sent.notify_waiters();
        Ok(())
    }

    async fn read_inbox(&self, pod: &PodName, after: &InboxPosition, wait: Duration) -> Result<InboxPage, StoreError> {
        let read = async {
            loop {
                let message_sent = self.message_sent.notified();
                let page = self.data.lock().inbox(pod, number(after));
                if page.last.is_some() {
                    return page;
                }
                message_sent.await;
            }
        };
        Ok(timeout(wait, read).await.unwrap_or_default())
    }

    async fn acknowledge(&self, pod: &PodName, through: &InboxPosition) -> Result<(), StoreError> {
        if let Some(inbox) = self.data.lock().inboxes.get_mut(pod) {
            *inbox = inbox.split_off(&(number(through) + 1));
        }
        Ok(())
    }

    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError> {
        let mut data = self.data.lock();
        for AgedSecret { secret, created } in ours {
            let known = data.secrets.entry(secret.clone()).or_insert(*created);
            *known = (*known).min(*created);
        }
        let secrets = data.secrets.iter();
        Ok(secrets.map(|(secret, created)| AgedSecret { secret: secret.clone(), created: *created }).collect())
    }
}

/// The number of the last message that was read.
fn number(position: &InboxPosition) -> u64 {
    position.as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}
