//! What a store is asked, and what it answers, as values.

use std::time::Duration;

use session_domain::shared::{OwnerNotice, SharedSession};
use session_domain::{PodName, SessionId, Timestamp};

/// Names the contents of a store. Another name than before: it came back empty, and everything has to be written again.
pub type Epoch = u64;

/// Whether what is absent from a store does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The name of the contents; `None` where the store is empty.
    pub epoch: Option<Epoch>,
    /// Whether a pod has found a short while ago that the store had lost what it held: not everything is written again yet.
    pub settling: bool,
}

/// A session in the store, and what has been decided about it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The session.
    pub session: SharedSession,
    /// What another pod has asked its owner to do.
    pub request: Option<OwnerRequest>,
    /// The pod that its owner took it over from, if it did.
    pub previous_owner: Option<PodName>,
    /// Whether a login has replaced its id a short while ago: there is an [`OwnerRequest::Rename`] then. Known of an entry that
    /// was [read](super::SessionStore::read).
    pub is_replaced: bool,
}

impl Entry {
    /// Whether another pod has asked its owner to give it another id.
    pub(super) const fn is_to_be_renamed(&self) -> bool {
        matches!(self.request, Some(OwnerRequest::Rename(_)))
    }
}

/// What [`SessionStore::read`](super::SessionStore::read) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The session.
    Found(Box<Entry>),
    /// No such entry. That is the truth only while the contents are the known ones.
    Absent(
        /// Read after the entry.
        Contents,
    ),
    /// A login has replaced the id a short while ago: the session goes on under another one.
    Replaced,
}

/// What a pod that only serves a session asks its owner to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerRequest {
    /// Its user has logged out: end it and count how.
    End {
        /// Whether the browser logged out by itself at the end of a countdown.
        automatic: bool,
    },
    /// Its user has signed in: it goes on under this id, with the user's name in that entry.
    Rename(SessionId),
}

/// What an owner has to know of its session, read for many at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The pod that owns it.
    pub pod: PodName,
    /// The time since its last request at any pod, by the store's own clock: those of pods differ.
    pub idle: Duration,
    /// What another pod asks for.
    pub request: Option<OwnerRequest>,
}

/// What [`SessionStore::lookup_many`](super::SessionStore::lookup_many) found of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is there.
    Found(Summary),
    /// No such entry. That is the truth only while the contents are the known ones.
    Absent,
    /// The store cannot say now.
    Unknown,
}

/// The answers to one [`SessionStore::lookup_many`](super::SessionStore::lookup_many), in the order of the question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// One for each id.
    pub lookups: Vec<Lookup>,
    /// Read after the entries; `None` where none of them is absent.
    pub contents: Option<Contents>,
}

/// One change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Stores the owner's state of the session.
    Put {
        /// The session.
        session: SharedSession,
        /// The time since its last request, by the owner's clock.
        idle: Duration,
        /// Whether the store does not have it yet. Where it should have it and does not, it has ended at another pod, and is
        /// not brought to life again.
        new: bool,
    },
    /// The same for a session that its owner no longer holds: any pod may adopt it. Answers [`Written::Asked`] and changes
    /// nothing where its user has logged out at another pod.
    Release {
        /// The session.
        session: SharedSession,
        /// The time since its last request, by the owner's clock.
        idle: Duration,
        /// Whether the store does not have it yet.
        new: bool,
    },
    /// Deletes the entry of a session that is over.
    Delete {
        /// The session.
        id: SessionId,
        /// Its owner; the entry of another owner stays.
        pod: PodName,
        /// Where a login has replaced the id: how long every pod has to know it, see [`Reading::Replaced`].
        replaced_for: Option<Duration>,
    },
    /// The same before its owner ends it. Answers [`Written::Asked`] where its user has logged out at another pod, and
    /// [`Written::Elsewhere`] where its user has signed in there: it goes on under another id.
    ClaimEnd {
        /// The session.
        id: SessionId,
        /// Its owner; the entry of another owner stays.
        pod: PodName,
        /// Where its owner gives it another id: how long every pod has to know that the id was replaced.
        replaced_for: Option<Duration>,
    },
    /// Renews the time to live of an entry whose session is open at its owner.
    Keep {
        /// The session.
        id: SessionId,
    },
    /// Notes that a guest was active.
    Touch {
        /// The session.
        id: SessionId,
        /// When, as others read it.
        at: Timestamp,
        /// The time since, by the clock that said so.
        idle: Duration,
    },
    /// Leaves a request for the owner in the entry. With [`OwnerRequest::Rename`] the id counts as replaced from now on.
    Request {
        /// The session.
        id: SessionId,
        /// The request.
        request: OwnerRequest,
    },
}

/// What became of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is done.
    Done,
    /// Nothing was done: another pod owns the session, or it goes on under another id.
    Elsewhere,
    /// There is no such entry.
    Missing,
    /// Another pod has asked the owner for this, and it is the owner's to do.
    Asked(OwnerRequest),
    /// It may be done or not: the part of the store that keeps the entry is away. Try again later.
    Later,
    /// Nothing was done, and trying again would not help: the entry is no session.
    Refused(String),
}

/// How one pod takes over a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The session.
    pub id: SessionId,
    /// Its owner until now; where it has another owner by now, nothing happens.
    pub from: PodName,
    /// Its owner from now on.
    pub by: PodName,
    /// Whether nothing happens where the owner holds a stream of it by now.
    pub unless_streaming: bool,
    /// Whether the new owner is about to open a stream.
    pub streaming: bool,
}

/// What a pod says of itself, for as long as `duration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The pod.
    pub pod: PodName,
    /// Whether it drains.
    pub draining: bool,
    /// The notice that runs there.
    pub notice: Option<OwnerNotice>,
    /// How long the lease lasts.
    pub duration: Duration,
}

/// What a renewed lease tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The name of the contents.
    pub epoch: Epoch,
    /// Whether this call gave them their name: the store was empty.
    pub is_new: bool,
    /// Whether there was no lease of this pod before: other pods may have adopted its sessions.
    pub lapsed: bool,
}

/// A secret that signs cookies, and since when it does. Of several the oldest signs.
#[derive(Clone, PartialEq, Eq)]
pub struct AgedSecret {
    /// The secret.
    pub secret: String,
    /// When it was made.
    pub created: Timestamp,
}

impl std::fmt::Debug for AgedSecret {
    /// Does not show the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgedSecret").field("created", &self.created).finish_non_exhaustive()
    }
}
