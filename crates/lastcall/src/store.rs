//! Where sessions are kept so that they outlive their pod: one trait, the memory of this process and Redis behind it.
//!
//! A store is how other pods learn of a session; the registry stays the truth about its own. Every operation is on one
//! session's one entry and atomic there, so that it fits a cluster. A store holds no rules: who may adopt what is
//! `session_domain::shared`, when what is written is `sharing`'s.

mod memory;
mod redis;

use std::time::Duration;

pub use memory::MemoryStore;
pub use redis::{BadAddress, RedisStore};
use session_domain::shared::{Owner, SharedSession};
use session_domain::{PodName, SessionId, Timestamp};
use thiserror::Error;
use tonic::async_trait;

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be reached, does not answer, or answers that it cannot now. Try again later.
    #[error("the session store is away: {0}")]
    Away(String),
    /// The part of it that keeps this entry cannot be asked now; others can. Try again later.
    #[error("a part of the session store is away: {0}")]
    PartlyAway(String),
    /// It refused this one operation, and will again. Others may work.
    #[error("the session store refused: {0}")]
    Refused(String),
}

/// A session in the store, and what has been decided about it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The session.
    pub session: SharedSession,
    /// What another pod has asked its owner to do.
    pub wish: Option<Wish>,
    /// From whom its owner took it over, if it did.
    pub from: Option<PodName>,
}

/// What a pod that only serves a session asks its owner to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Its user has left: it is over, and its owner counts how.
    End {
        /// Whether the browser left by itself at the end of a countdown.
        automatic: bool,
    },
    /// Its user has signed in: it goes on under this id, with the user's name in that entry.
    Rename(SessionId),
}

/// What an owner has to know of its session, read for many at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Who owns it by now.
    pub pod: PodName,
    /// How long ago its last request came in, at whatever pod, by the store's own clock: those of pods differ.
    pub idle: Duration,
    /// What another pod asks for.
    pub wish: Option<Wish>,
}

/// What was seen of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    There(Glance),
    /// It is not there.
    Missing,
    /// The store cannot say now.
    Unclear,
}

/// One change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The owner's state of the session.
    Put {
        /// The session.
        session: SharedSession,
        /// How long ago it was active, by the owner's clock.
        idle: Duration,
        /// Whether the store does not have it yet. Where it should and does not, it has ended at another pod, and is not
        /// brought to life again.
        new: bool,
    },
    /// The session is over: the entry goes.
    Delete {
        /// Which one.
        id: SessionId,
        /// Its owner; an entry of another's stays.
        pod: PodName,
    },
    /// The same before its owner ends it, unless a guest has signed in meanwhile: then it goes on under another id.
    TakeOut {
        /// Which one.
        id: SessionId,
        /// Its owner; an entry of another's stays.
        pod: PodName,
    },
    /// Its owner holds it no more: whoever comes may have it.
    Release {
        /// Which one.
        id: SessionId,
        /// Its owner; an entry of another's stays as it is.
        pod: PodName,
    },
    /// A guest was active.
    Touch {
        /// Which one.
        id: SessionId,
        /// When, as others read it.
        at: Timestamp,
        /// How long ago that is, by the clock that said so.
        idle: Duration,
    },
    /// A guest asks the owner for something.
    Wish {
        /// Of which session.
        id: SessionId,
        /// What.
        wish: Wish,
    },
}

/// What became of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is done.
    Done,
    /// Nothing was done: another pod owns the session, or it goes on under another id.
    Elsewhere,
    /// There is no such session any more, or never was.
    Missing,
    /// It may be done or not: the part of the store that keeps the entry is away. Try again later.
    Later,
    /// Nothing was done, and trying again would not help: what stands there is no session.
    Refused(String),
}

/// How one pod takes over a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Which one.
    pub id: SessionId,
    /// From whom; where it is another's by now, nothing happens.
    pub from: PodName,
    /// By whom.
    pub by: PodName,
    /// Whether nothing happens where the owner holds a stream of it by now.
    pub unless_streaming: bool,
    /// Whether the new owner is about to open a stream.
    pub streaming: bool,
}

/// What a pod's attention was called to, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The sessions.
    pub ids: Vec<SessionId>,
    /// How many calls these were, those that make no sense included.
    pub count: usize,
}

/// Names the contents of a store. Another name than before: it came back empty, and everything has to be written again.
pub type Epoch = u64;

/// Keeps sessions for several pods.
///
/// Every call is bounded: it gives [`StoreError::Away`] within a few seconds where nothing answers.
#[async_trait]
pub trait SessionStore: std::fmt::Debug + Send + Sync + 'static {
    /// Reads a session.
    async fn read(&self, id: SessionId) -> Result<Option<Entry>, StoreError>;

    /// Takes a session over; `None` where it is not as the asker believed, and nothing was done.
    async fn adopt(&self, adoption: &Adoption) -> Result<Option<Entry>, StoreError>;

    /// Writes; one result for each write. They apply in this order where they are about the same entry.
    async fn write(&self, writes: Vec<Write>) -> Result<Vec<Written>, StoreError>;

    /// Looks at many sessions.
    async fn look(&self, ids: Vec<SessionId>) -> Result<Vec<Seen>, StoreError>;

    /// How a pod stands.
    async fn owner(&self, pod: &PodName) -> Result<Owner, StoreError>;

    /// Says that the pod lives, for as long as `lease`, and hears whether the store is the one that it was. Whoever cannot
    /// say so has no store: what goes wrong here is [`StoreError::Away`], never in part.
    async fn renew(&self, pod: &PodName, draining: bool, lease: Duration) -> Result<Epoch, StoreError>;

    /// Says that the pod is gone.
    async fn leave(&self, pod: &PodName) -> Result<(), StoreError>;

    /// Calls the pod's attention to a session of its own.
    async fn call(&self, pod: &PodName, id: SessionId) -> Result<(), StoreError>;

    /// What a pod's attention was called to and is not answered yet. Asking changes nothing: an answer that is lost on the
    /// way is given again.
    async fn calls(&self, pod: &PodName) -> Result<Calls, StoreError>;

    /// The oldest `count` calls have been looked at.
    async fn answered(&self, pod: &PodName, count: usize) -> Result<(), StoreError>;

    /// Agrees with all pods on one secret: the one that stands there, else this one.
    async fn agree_on_secret(&self, proposal: &str) -> Result<String, StoreError>;
}
