//! A session's entry in a store, and the result of reading it.

use session_domain::shared::{SharedSession, SharedTask};
use session_domain::{PodName, SessionId};

/// Names the contents of a store. A store that came back empty gets another name, and every pod writes its sessions again.
pub type Epoch = u64;

/// Whether what is absent from a store does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The name of the contents; `None` where the store is empty.
    pub epoch: Option<Epoch>,
    /// Whether a pod has just found that the store had lost its data: the pods have not written everything again yet.
    pub settling: bool,
}

/// A session in the store, and what other pods have written about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEntry {
    /// The session.
    pub session: SharedSession,
    /// What another pod asks its owner to do.
    pub request: Option<OwnerRequest>,
    /// The pod from which its owner adopted it, if it did.
    pub previous_owner: Option<PodName>,
    /// The tasks that run for it, on any pod; also those whose time is over. They stay where it gets another owner.
    pub tasks: Vec<SharedTask>,
    /// Whether a login has replaced its id within the last minute: there is an [`OwnerRequest::Rename`] then. Set only by
    /// [`SessionStore::read`](super::SessionStore::read).
    pub is_replaced: bool,
}

impl SessionEntry {
    /// Whether another pod has asked its owner to give it another id.
    pub(super) const fn is_to_be_renamed(&self) -> bool {
        matches!(self.request, Some(OwnerRequest::Rename(_)))
    }
}

/// The result of [`SessionStore::read`](super::SessionStore::read).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// The session.
    Found(Box<SessionEntry>),
    /// No such entry. That proves that the session does not exist only while the contents are the known ones.
    Absent(
        /// Read after the entry.
        Contents,
    ),
    /// A login has replaced the id within the last minute. The session goes on under another id.
    Replaced,
}

/// What a pod that serves a session as a guest asks its owner to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerRequest {
    /// Its user has logged out: end it and count the logout.
    End {
        /// Whether the browser signed out by itself at the end of a countdown.
        automatic: bool,
    },
    /// Its user has signed in: it goes on under this id, with the user's name in that entry.
    Rename(SessionId),
}
