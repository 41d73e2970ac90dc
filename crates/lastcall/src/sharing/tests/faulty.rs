//! A store behind a network: requests and answers take a while, and it fails in every way that a server does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::store::{
    Adoption, AgedSecret, Contents, InboxPage, InboxPosition, Lease, LeaseRenewal, Lookups, MemorySnapshot,
    MemoryStore, Message, ReadOutcome, SessionEntry, SessionStore, StoreError, Write, WriteOutcome,
};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// It takes 150 to 700 ms for every answer.
    Slow,
    /// It can be read and takes no writes.
    ReadOnly,
    /// It cannot be reached. Half of what it was sent has been done all the same.
    Cut,
}

impl Condition {
    const ALL: [Self; 4] = [Self::None, Self::Slow, Self::ReadOnly, Self::Cut];
}

/// The store of all pods of a storm, or the way of one pod to the memory of several.
#[derive(Debug, Default)]
pub(super) struct FaultyStore {
    pub(super) memory: Arc<MemoryStore>,
    condition: AtomicU8,
    answers: AtomicU64,
    /// The operations whose answers are held back.
    holding: Mutex<Vec<&'static str>>,
    /// The answers that are held back, the oldest first.
    held: Mutex<Vec<oneshot::Sender<()>>>,
}

impl FaultyStore {
    pub(super) fn around(memory: &Arc<MemoryStore>) -> Self {
        Self { memory: Arc::clone(memory), ..Self::default() }
    }

    /// Holds back the answers to these operations from now on. They are executed.
    pub(super) fn hold(&self, operations: &[&'static str]) {
        *self.holding.lock() = operations.to_vec();
    }

    /// Waits until this many answers are held back.
    pub(super) async fn holds(&self, answers: usize) {
        while self.held.lock().len() < answers {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Releases one of the answers that are held back.
    pub(super) fn release(&self, index: usize) {
        // Nobody waits for it where the operation was cancelled.
        let _ = self.held.lock().remove(index).send(());
    }

    async fn hold_answer(&self, operation: &str) {
        if self.holding.lock().contains(&operation) {
            let (release, released) = oneshot::channel();
            self.held.lock().push(release);
            let _ = released.await;
        }
    }

    pub(super) fn set(&self, condition: Condition) {
        self.condition.store(condition as u8, Ordering::Relaxed);
    }

    /// Comes back without its data.
    pub(super) fn lose_everything(&self) {
        self.memory.lose_everything();
    }

    /// Comes back with what it had then: open connections break.
    pub(super) async fn fall_behind(&self, snapshot: &MemorySnapshot) {
        self.set(Condition::Cut);
        self.memory.restore(snapshot);
        sleep(Duration::from_millis(1_500)).await;
        self.set(Condition::None);
    }

    fn condition(&self) -> Condition {
        Condition::ALL[usize::from(self.condition.load(Ordering::Relaxed))]
    }

    async fn travel(&self) {
        let millis = match self.condition() {
            Condition::Slow => fastrand::u64(75..350),
            Condition::None | Condition::ReadOnly | Condition::Cut => fastrand::u64(..20),
        };
        sleep(Duration::from_millis(millis)).await;
    }

    /// Whether an operation gets there.
    fn arrives(&self, writes: bool) -> Result<(), StoreError> {
        match self.condition() {
            Condition::ReadOnly if writes => Err(StoreError::NotWritable("OOM".to_owned())),
            Condition::Cut if self.answers.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => Err(cut()),
            Condition::None | Condition::Slow | Condition::ReadOnly | Condition::Cut => Ok(()),
        }
    }

    /// Whether its answer gets back.
    fn answers(&self) -> Result<(), StoreError> {
        if self.condition() == Condition::Cut { Err(cut()) } else { Ok(()) }
    }
}

fn cut() -> StoreError {
    StoreError::Unavailable("cut".to_owned())
}

macro_rules! over_the_network {
    ($self:ident, $writes:literal, $operation:ident($($argument:expr),*)) => {{
        $self.travel().await;
        $self.arrives($writes)?;
        let answer = $self.memory.$operation($($argument),*).await;
        $self.hold_answer(stringify!($operation)).await;
        $self.travel().await;
        $self.answers()?;
        answer
    }};
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn read(&self, id: SessionId) -> Result<ReadOutcome, StoreError> {
        over_the_network!(self, false, read(id))
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<Option<SessionEntry>, StoreError> {
        over_the_network!(self, true, adopt(adoption))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, StoreError> {
        over_the_network!(self, true, write(writes))
    }

    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError> {
        over_the_network!(self, false, lookup_many(ids))
    }

    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError> {
        over_the_network!(self, false, owner(pod))
    }

    async fn adopters(&self) -> Result<Vec<PodName>, StoreError> {
        over_the_network!(self, false, adopters())
    }

    async fn renew_lease(&self, lease: &Lease) -> Result<LeaseRenewal, StoreError> {
        over_the_network!(self, true, renew_lease(lease))
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        over_the_network!(self, false, contents())
    }

    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError> {
        over_the_network!(self, true, mark_settling(duration))
    }

    async fn release_lease(&self, pod: &PodName) -> Result<(), StoreError> {
        over_the_network!(self, true, release_lease(pod))
    }

    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError> {
        over_the_network!(self, true, send(pod, message))
    }

    async fn read_inbox(&self, pod: &PodName, after: &InboxPosition, wait: Duration) -> Result<InboxPage, StoreError> {
        over_the_network!(self, false, read_inbox(pod, after, wait))
    }

    async fn acknowledge(&self, pod: &PodName, through: &InboxPosition) -> Result<(), StoreError> {
        over_the_network!(self, true, acknowledge(pod, through))
    }

    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError> {
        over_the_network!(self, true, agree_on_secrets(ours))
    }
}
