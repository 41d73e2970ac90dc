//! Changes of entries.

use std::time::Duration;

use session_domain::shared::{SharedSession, SharedTask};
use session_domain::{PodName, SessionId, TaskId, Timestamp};

use super::entry::OwnerRequest;

/// A change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Stores the owner's state of the session.
    Put {
        /// The session.
        session: SharedSession,
        /// The time since its last request, by the owner's clock.
        idle: Duration,
        /// Whether to create an entry that does not exist. Where this is false and the entry is missing, the session has ended on
        /// another pod, and the entry must not be created.
        new: bool,
    },
    /// Stores the session like [`Write::Put`] when its owner releases it: any pod may adopt it. Answers
    /// [`WriteOutcome::Requested`] and changes nothing where its user has logged out on another pod.
    Release {
        /// The session.
        session: SharedSession,
        /// The time since its last request, by the owner's clock.
        idle: Duration,
        /// Whether to create an entry that does not exist.
        new: bool,
    },
    /// Deletes the entry of a session that has ended.
    Delete {
        /// The session.
        id: SessionId,
        /// Its owner. The entry of another owner stays.
        pod: PodName,
        /// Where a login has replaced the id: for how long reads of it answer
        /// [`ReadOutcome::Replaced`](super::ReadOutcome::Replaced).
        replaced_for: Option<Duration>,
    },
    /// Deletes the entry like [`Write::Delete`] before its owner ends the session. Answers [`WriteOutcome::Requested`] where its user
    /// has logged out on another pod, and [`WriteOutcome::NotOwner`] where its user has signed in there: the session goes on under
    /// another id.
    ClaimEnd {
        /// The session.
        id: SessionId,
        /// Its owner. The entry of another owner stays.
        pod: PodName,
        /// Where its owner gives it another id: for how long reads of the old one answer
        /// [`ReadOutcome::Replaced`](super::ReadOutcome::Replaced).
        replaced_for: Option<Duration>,
    },
    /// Renews the time to live of an entry whose session is connected at its owner.
    ExtendTtl {
        /// The session.
        id: SessionId,
    },
    /// Records activity of a guest. Changes nothing where the entry has a later activity.
    Touch {
        /// The session.
        id: SessionId,
        /// When it was active, as `last_activity` shows it.
        at: Timestamp,
        /// The time since then, by the clock of the pod that served it.
        idle: Duration,
    },
    /// Leaves a request to the owner in the entry. [`OwnerRequest::Rename`] also marks the id as replaced.
    Request {
        /// The session.
        id: SessionId,
        /// The request.
        request: OwnerRequest,
    },
    /// Stores a task of the session, over what is known of it. Answers [`WriteOutcome::Missing`] where there is no entry, and unless
    /// `new` where the entry has no such task.
    PutTask {
        /// The session.
        id: SessionId,
        /// The task. It counts as running for its `remaining` time, by the store's own clock.
        task: SharedTask,
        /// Whether to add a task that the entry does not have.
        new: bool,
    },
    /// Removes a task of the session. Answers [`WriteOutcome::Missing`] where there is none.
    EndTask {
        /// The session.
        id: SessionId,
        /// The task.
        task: TaskId,
    },
}

impl Write {
    /// The session whose entry it changes.
    pub const fn session_id(&self) -> SessionId {
        match self {
            Self::Put { session, .. } | Self::Release { session, .. } => session.id,
            Self::Delete { id, .. }
            | Self::ClaimEnd { id, .. }
            | Self::ExtendTtl { id }
            | Self::Touch { id, .. }
            | Self::Request { id, .. }
            | Self::PutTask { id, .. }
            | Self::EndTask { id, .. } => *id,
        }
    }
}

/// The result of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is done.
    Done,
    /// Nothing was done: another pod owns the session, or it goes on under another id.
    NotOwner,
    /// There is no such entry.
    Missing,
    /// Another pod has asked the owner for this, and the owner has to do it.
    Requested(OwnerRequest),
    /// It may be done or not: the part of the store that keeps the entry is unavailable. Try again later.
    Unavailable,
    /// Nothing was done, and trying again does not help: the entry is not a session. Says why.
    Refused(String),
}

/// How a pod adopts a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The session.
    pub id: SessionId,
    /// Its owner until now. Nothing happens where it has another owner by now.
    pub from: PodName,
    /// Its owner from now on.
    pub to: PodName,
    /// Whether nothing happens where it is [pinned](SharedSession::pinned) by now.
    pub unless_pinned: bool,
    /// Whether the new owner is about to open a stream or a WebSocket.
    pub pinned: bool,
}
