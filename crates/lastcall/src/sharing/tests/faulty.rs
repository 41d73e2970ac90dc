//! A store at the end of a line: what it is asked takes a while to get there and back, and it fails in every way that a
//! server does.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use async_trait::async_trait;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId};
use tokio::time::sleep;

use super::*;
use crate::store::{
    Adoption, AgedSecret, Contents, Entry, Inbox, Lease, Lookups, MemorySnapshot, MemoryStore, Message, Position,
    Reading, Renewed, SessionStore, StoreError, Write, Written,
};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// It takes 150 to 700 ms for every answer.
    Slow,
    /// It can be read and takes no writes.
    ReadOnly,
    /// It cannot be reached. Half of what it was sent has been done all the same.
    Cut,
}

impl Trouble {
    const ALL: [Self; 4] = [Self::None, Self::Slow, Self::ReadOnly, Self::Cut];
}

/// The store of all pods of a storm.
#[derive(Debug, Default)]
pub(super) struct FaultyStore {
    pub(super) memory: MemoryStore,
    trouble: AtomicU8,
    answers: AtomicU64,
}

impl FaultyStore {
    pub(super) fn set(&self, trouble: Trouble) {
        self.trouble.store(trouble as u8, Ordering::Relaxed);
    }

    /// Comes back without its data.
    pub(super) fn lose_everything(&self) {
        self.memory.lose_everything();
    }

    /// Comes back with what it had then: open connections break.
    pub(super) async fn fall_behind(&self, snapshot: &MemorySnapshot) {
        self.set(Trouble::Cut);
        self.memory.restore(snapshot);
        sleep(Duration::from_millis(1_500)).await;
        self.set(Trouble::None);
    }

    fn trouble(&self) -> Trouble {
        Trouble::ALL[usize::from(self.trouble.load(Ordering::Relaxed))]
    }

    async fn on_its_way(&self) {
        let millis = match self.trouble() {
            Trouble::Slow => fastrand::u64(75..350),
            Trouble::None | Trouble::ReadOnly | Trouble::Cut => fastrand::u64(..20),
        };
        sleep(Duration::from_millis(millis)).await;
    }

    /// Whether an operation gets there.
    fn arrives(&self, writes: bool) -> Result<(), StoreError> {
        match self.trouble() {
            Trouble::ReadOnly if writes => Err(StoreError::NotWritable("OOM".to_owned())),
            Trouble::Cut if self.answers.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => Err(cut()),
            Trouble::None | Trouble::Slow | Trouble::ReadOnly | Trouble::Cut => Ok(()),
        }
    }

    /// Whether its answer gets back.
    fn answers(&self) -> Result<(), StoreError> {
        if self.trouble() == Trouble::Cut { Err(cut()) } else { Ok(()) }
    }
}

fn cut() -> StoreError {
    StoreError::Away("cut".to_owned())
}

macro_rules! over_the_line {
    ($self:ident, $writes:literal, $operation:ident($($argument:expr),*)) => {{
        $self.on_its_way().await;
        $self.arrives($writes)?;
        let answer = $self.memory.$operation($($argument),*).await;
        $self.on_its_way().await;
        $self.answers()?;
        answer
    }};
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn read(&self, id: SessionId) -> Result<Reading, StoreError> {
        over_the_line!(self, false, read(id))
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError> {
        over_the_line!(self, true, adopt(adoption))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError> {
        over_the_line!(self, true, write(writes))
    }

    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
        over_the_line!(self, false, lookup_many(ids))
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        over_the_line!(self, false, owner(pod))
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        over_the_line!(self, true, renew(lease))
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        over_the_line!(self, false, contents())
    }

    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError> {
        over_the_line!(self, true, mark_settling(duration))
    }

    async fn leave(&self, pod: &PodName) -> Result<(), StoreError> {
        over_the_line!(self, true, leave(pod))
    }

    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError> {
        over_the_line!(self, true, send(pod, message))
    }

    async fn inbox(&self, pod: &PodName, after: &Position, wait: Duration) -> Result<Inbox, StoreError> {
        over_the_line!(self, false, inbox(pod, after, wait))
    }

    async fn acknowledge(&self, pod: &PodName, through: &Position) -> Result<(), StoreError> {
        over_the_line!(self, true, acknowledge(pod, through))
    }

    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError> {
        over_the_line!(self, true, agree_on_secrets(ours))
    }
}
