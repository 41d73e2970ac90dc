//! What callers ask the writer for, and what it answers.

use tokio::sync::oneshot;

use crate::sessions::live::LiveSession;

/// A request to the writer. A caller that has given up waiting needs no answer.
#[derive(Debug)]
pub(super) enum WriterRequest {
    /// To answer when every earlier change is written, or cannot be now.
    Flush(oneshot::Sender<()>),
    /// To claim sessions.
    Claim(ClaimRequest),
}

/// Asks to claim these sessions. One outcome for each, in this order.
#[derive(Debug)]
pub(super) struct ClaimRequest {
    pub(super) sessions: Vec<LiveSession>,
    pub(super) purpose: ClaimPurpose,
    pub(super) done: oneshot::Sender<Vec<ClaimOutcome>>,
}

/// What a session is claimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimPurpose {
    /// To end the session: its entry is deleted.
    End,
    /// To give the session another id: its entry is deleted, and all pods know for a while that the id was replaced.
    Rename,
    /// To release the session: its entry stays, for any pod to adopt.
    Release,
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimOutcome {
    /// The session is this pod's alone, and the store has acknowledged it.
    Claimed,
    /// Its user has logged out on another pod.
    LoggedOut { automatic: bool },
    /// It lives on another pod, or did.
    Moved,
    /// The store has not answered, or takes no writes.
    Unacknowledged,
}
