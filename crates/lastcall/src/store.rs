//! Where sessions are kept so that they outlive their pod: one trait, with the memory of this process and Redis behind it.
//!
//! A store is how other pods learn of a session; the registry stays authoritative for its own pod. Every operation is on one
//! session's one entry and atomic there, so that it fits a cluster. A store holds no rules: which pod may adopt what is
//! decided by `session_domain::shared`, when what is written by `sharing`.

mod inbox;
mod memory;
mod operations;
#[cfg(feature = "redis")]
mod redis;

use std::time::Duration;

/// What an implementation of [`SessionStore`] stands under.
pub use async_trait::async_trait;
pub use inbox::{Inbox, Message, Position};
pub use memory::{MemorySnapshot, MemoryStore};
pub use operations::{
    Adoption, AgedSecret, Contents, Entry, Epoch, Lease, Lookup, Lookups, OwnerRequest, Reading, Renewed, Summary,
    Write, Written,
};
#[cfg(feature = "redis")]
pub use redis::{BadAddress, RedisStore};
use session_domain::shared::Owner;
use session_domain::{PodName, SessionId};
use thiserror::Error;

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be reached, does not answer, or answers that it cannot now. Try again later.
    #[error("the session store is away: {0}")]
    Away(String),
    /// It refuses the login, or the login lacks permissions. Somebody has to correct the address or the account.
    #[error("the session store refuses the login: {0}")]
    LoginRefused(String),
    /// The part of it that keeps this entry cannot be asked now; others can. Try again later.
    #[error("a part of the session store is away: {0}")]
    PartlyAway(String),
    /// It answers that it cannot be read now: it loads its data, or waits for its master. Try again later.
    #[error("the session store cannot be read: {0}")]
    NotReadable(String),
    /// It answers and can be read, but takes no writes now: out of memory, or a replica. Try again later.
    #[error("the session store takes no writes: {0}")]
    NotWritable(String),
    /// It refused this one operation, and will again. Others may work.
    #[error("the session store refused: {0}")]
    Refused(String),
}

/// Keeps sessions for several pods.
///
/// Every call is bounded: it gives [`StoreError::Away`] within some seconds where nothing answers.
#[async_trait]
pub trait SessionStore: std::fmt::Debug + Send + Sync + 'static {
    /// Reads a session.
    async fn read(&self, id: SessionId) -> Result<Reading, StoreError>;

    /// Takes a session over; `None` where it is not as the caller believed, and nothing was done.
    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError>;

    /// Writes; one result for each write. They apply in this order where they concern the same entry.
    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError>;

    /// Reads summaries of many sessions.
    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError>;

    /// What a pod says of itself.
    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError>;

    /// Renews the pod's lease and gives the name of the contents. A failure here is a failure of the store as a whole,
    /// never [`StoreError::PartlyAway`].
    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError>;

    /// Reads what names the contents. Writes nothing.
    async fn contents(&self) -> Result<Contents, StoreError>;

    /// Tells all pods, for as long as `duration`, that the store has lost what it held.
    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError>;

    /// Gives the pod's lease back.
    async fn leave(&self, pod: &PodName) -> Result<(), StoreError>;

    /// Puts a message into a pod's inbox.
    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError>;

    /// The messages in a pod's inbox after a position, oldest first. Where there are none it waits up to `wait` for the
    /// first. Reading changes nothing: an answer that is lost on the way is given again. For one reader a pod.
    async fn inbox(&self, pod: &PodName, after: &Position, wait: Duration) -> Result<Inbox, StoreError>;

    /// Drops the messages of a pod's inbox up to and including a position.
    async fn acknowledge(&self, pod: &PodName, through: &Position) -> Result<(), StoreError>;

    /// Adds these signing secrets to those that the pods have agreed on, each with its age, and gives all of them. Where one
    /// is there already the greater age counts.
    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError>;
}
