//! Where sessions are kept so that they outlive their pod: one trait, with the memory of this process and Redis behind it.
//!
//! A store is how other pods learn of a session; each pod stays authoritative for the sessions that it owns. Every operation
//! concerns one entry and is atomic for it, so that it fits a cluster. A store holds no rules: Lastcall decides which pod may
//! adopt a session, and when something is written.
//!
//! # Implementing a store
//! Implement [`SessionStore`] and put it into [`Config::store`](crate::Config::store). Every type that occurs in the trait is in
//! this module or in the root of the crate. What a store keeps:
//!
//! | what | how long | read by | written by |
//! |---|---|---|---|
//! | an entry for each session: a [`SharedSession`], an [`OwnerRequest`], the previous owner, the [`SharedTask`]s | a time to live, which [`Write::Put`], [`Write::Release`], [`Write::Touch`], [`Write::ExtendTtl`] and an adoption renew | [`read`], [`lookup_many`] | [`write`], [`adopt`] |
//! | ids that a login has replaced | the `replaced_for` of the write; [`REPLACED_TTL`] for [`OwnerRequest::Rename`] | [`read`] | [`write`] |
//! | a [`Lease`] for each pod | its `duration` | [`owner`], [`adopters`] | [`renew_lease`], [`release_lease`] |
//! | an inbox for each pod | an hour after its last message, or longer | [`read_inbox`] | [`send`], [`acknowledge`] |
//! | the [`Epoch`], and whether the pods still write again what was lost | as long as the data | [`contents`] | [`renew_lease`], [`mark_settling`] |
//! | the [`AgedSecret`]s | as long as the data | [`agree_on_secrets`] | [`agree_on_secrets`] |
//!
//! [`MemoryStore`] is the reference: a few hundred lines, and what every store has to do.
//!
//! [`read`]: SessionStore::read
//! [`lookup_many`]: SessionStore::lookup_many
//! [`write`]: SessionStore::write
//! [`adopt`]: SessionStore::adopt
//! [`owner`]: SessionStore::owner
//! [`adopters`]: SessionStore::adopters
//! [`renew_lease`]: SessionStore::renew_lease
//! [`release_lease`]: SessionStore::release_lease
//! [`read_inbox`]: SessionStore::read_inbox
//! [`send`]: SessionStore::send
//! [`acknowledge`]: SessionStore::acknowledge
//! [`contents`]: SessionStore::contents
//! [`mark_settling`]: SessionStore::mark_settling
//! [`agree_on_secrets`]: SessionStore::agree_on_secrets

mod entry;
mod inbox;
mod lease;
mod lookup;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod secret;
mod write;

use std::time::Duration;

pub use async_trait::async_trait;
pub use entry::{Contents, Epoch, OwnerRequest, ReadOutcome, SessionEntry};
pub use inbox::{InboxPage, InboxPosition, Message};
pub use lease::{Lease, LeaseRenewal};
pub use lookup::{Lookup, Lookups, Summary};
pub use memory::{MemorySnapshot, MemoryStore};
#[cfg(feature = "redis")]
pub use redis::{InvalidRedisUrl, RedisStore};
pub use secret::AgedSecret;
pub use session_domain::lifecycle::Reason;
pub use session_domain::registry::REPLACED_TTL;
pub use session_domain::shared::{Owner, OwnerNotice, SharedSession, SharedTask};
pub use session_domain::{
    InvalidTask, PodName, SessionId, TaskId, TaskLease, TaskName, TaskProgress, Timestamp, UserName,
};
use thiserror::Error;
pub use write::{Adoption, Write, WriteOutcome};

/// Why a store did not do what it was asked. The text says what the server or the network said.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be reached, does not answer, or answers that it cannot now. Try again later.
    #[error("the session store is unavailable: {0}")]
    Unavailable(String),
    /// It refuses the login, or the login lacks permissions. An operator has to correct the address or the account.
    #[error("the session store refuses the login: {0}")]
    LoginRefused(String),
    /// The part of it that keeps this entry is unavailable; others are not. Try again later.
    #[error("a part of the session store is unavailable: {0}")]
    PartlyUnavailable(String),
    /// It answers that it cannot be read now: it loads its data, or waits for its master. Try again later.
    #[error("the session store cannot be read: {0}")]
    NotReadable(String),
    /// It answers and can be read, but takes no writes now: out of memory, or a replica. Try again later.
    #[error("the session store takes no writes: {0}")]
    NotWritable(String),
    /// It refused this one operation, and will again. Others may work.
    #[error("the session store refused an operation: {0}")]
    Refused(String),
}

/// Keeps sessions for several pods.
///
/// Implementations bound every call: it returns [`StoreError::Unavailable`] within two seconds where nothing answers
/// ([`SessionStore::read_inbox`]: two seconds after its `wait`). Calls run concurrently.
///
/// # Cancel safety
/// A call that is dropped may have been executed or not. Each operation leaves its entry in a state from before or after it.
#[async_trait]
pub trait SessionStore: std::fmt::Debug + Send + Sync + 'static {
    /// Reads a session.
    ///
    /// An entry with an [`OwnerRequest::Rename`] whose id still counts as replaced is found with
    /// [`SessionEntry::is_replaced`] set; an id that counts as replaced and has no entry gives [`ReadOutcome::Replaced`]. Whether an
    /// entry is absent is read before [`Contents`], so that data lost in between is noticed.
    async fn read(&self, id: SessionId) -> Result<ReadOutcome, StoreError>;

    /// Gives a session another owner. Returns the entry afterwards, or `None` where nothing was done: the entry is missing, has
    /// another owner than [`Adoption::from`], holds a request, or is [pinned](SharedSession::pinned) where
    /// [`Adoption::unless_pinned`] is set.
    ///
    /// Sets [`SessionEntry::previous_owner`] where the owner changes, and [`SharedSession::pinned`] to [`Adoption::pinned`].
    async fn adopt(&self, adoption: &Adoption) -> Result<Option<SessionEntry>, StoreError>;

    /// Writes. Returns one outcome for each write, in the same order. Writes of the same session take effect in the order in which
    /// they are given; after one that is [`WriteOutcome::Unavailable`] the later ones of that session are not executed.
    async fn write(&self, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, StoreError>;

    /// Reads summaries of many sessions.
    async fn lookup_many(&self, ids: Vec<SessionId>) -> Result<Lookups, StoreError>;

    /// Reads what a pod says of itself in its lease. [`Owner::Gone`] where there is none; never [`Owner::Unknown`]. The remaining
    /// time of a notice is less than it was in the lease by the age of the lease.
    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError>;

    /// The pods whose lease says that they adopt the sessions of pods that stop ([`Lease::adopter`]). A pod whose lease cannot be read is
    /// none of them.
    ///
    /// The default names none: with a store that does not implement it no session is asked to move, also where
    /// [`Policy::handoff`](crate::Policy::handoff) is set, and users get the countdown.
    async fn adopters(&self) -> Result<Vec<PodName>, StoreError> {
        Ok(Vec::new())
    }

    /// Renews the pod's lease, and names the contents where they have no name. A failure here is one of the store as a whole, never
    /// [`StoreError::PartlyUnavailable`].
    async fn renew_lease(&self, lease: &Lease) -> Result<LeaseRenewal, StoreError>;

    /// Reads the name of the contents, and whether the store is settling. Writes nothing.
    async fn contents(&self) -> Result<Contents, StoreError>;

    /// Sets [`Contents::settling`] for `duration`: the store has lost its data.
    async fn mark_settling(&self, duration: Duration) -> Result<(), StoreError>;

    /// Deletes the pod's lease.
    async fn release_lease(&self, pod: &PodName) -> Result<(), StoreError>;

    /// Puts a message into a pod's inbox.
    async fn send(&self, pod: &PodName, message: &Message) -> Result<(), StoreError>;

    /// Reads the messages in a pod's inbox after a position. Where there are none, waits up to `wait` for the first. Reading
    /// changes nothing: the same position gives the same messages again. Each pod reads its own inbox, one read at a time.
    async fn read_inbox(&self, pod: &PodName, after: &InboxPosition, wait: Duration) -> Result<InboxPage, StoreError>;

    /// Drops the messages of a pod's inbox up to and including a position.
    async fn acknowledge(&self, pod: &PodName, through: &InboxPosition) -> Result<(), StoreError>;

    /// Adds these signing secrets to those that the pods have agreed on, and returns all of them. Of two ages of one secret the
    /// greater counts.
    async fn agree_on_secrets(&self, ours: &[AgedSecret]) -> Result<Vec<AgedSecret>, StoreError>;
}
