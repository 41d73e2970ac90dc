//! Sessions in a shared store: what it holds of them, and what a pod may do with a session that another pod owns.

use std::time::Duration;

use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::Reason;
pub use crate::shared_task::SharedTask;
use crate::time::Timestamp;

/// A session as the shared store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSession {
    /// The session's id.
    pub id: SessionId,
    /// The user it belongs to.
    pub user: UserName,
    /// When it began.
    pub login_time: Timestamp,
    /// When its last request arrived, at any pod.
    pub last_activity: Timestamp,
    /// The pod that owns it: a drain of this pod waits for the session.
    pub pod: PodName,
    /// Whether its owner holds an event stream, a WebSocket or protected work of it: it stays there while the owner serves.
    pub pinned: bool,
    /// Whether its owner protects it: work of it is in progress there, or as far as the owner knows at another pod.
    pub protected: bool,
    /// The reason of the running notice that it was notified of. A maintenance is the same notice on every pod.
    pub notified: Option<Reason>,
}

/// The state of the pod that owns a session, as its lease in the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The owner serves or is in maintenance; the notice that runs there, if any.
    Alive(Option<OwnerNotice>),
    /// The owner drains, and any other pod may adopt its sessions; the notice that runs there, if any.
    Draining(Option<OwnerNotice>),
    /// The owner's lease has run out.
    Gone,
    /// The owner's lease is missing, perhaps because the store was not reachable.
    Unknown,
}

/// The notice that runs on the owner. A pod that serves the session as a guest shows it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerNotice {
    /// Why users must leave.
    pub reason: Reason,
    /// The time until the forced end; zero once the deadline has passed.
    pub remaining: Duration,
    /// Whether browsers sign out by themselves at the end of the countdown.
    pub auto_logout: bool,
    /// Whether the session moves to another pod at the end instead of being force-closed.
    pub stays_signed_in: bool,
    /// Whether the session can move to another pod before the end.
    pub moves: bool,
    /// How long after the deadline the owner waits for work in progress.
    pub task_grace: Duration,
}

impl Owner {
    /// The notice that runs on the owner.
    pub const fn notice(self) -> Option<OwnerNotice> {
        match self {
            Self::Alive(notice) | Self::Draining(notice) => notice,
            Self::Gone | Self::Unknown => None,
        }
    }

    /// The state when it was read `by` ago: a notice has that much less time left.
    #[must_use]
    pub const fn aged(self, by: Duration) -> Self {
        const fn aged(notice: Option<OwnerNotice>, by: Duration) -> Option<OwnerNotice> {
            match notice {
                Some(notice) => Some(OwnerNotice { remaining: notice.remaining.saturating_sub(by), ..notice }),
                None => None,
            }
        }
        match self {
            Self::Alive(notice) => Self::Alive(aged(notice, by)),
            Self::Draining(notice) => Self::Draining(aged(notice, by)),
            Self::Gone | Self::Unknown => self,
        }
    }

    /// Whether its lease has run out.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Gone)
    }
}

/// What a request for a session of another pod wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Any request.
    Request,
    /// It opens an event stream or a WebSocket.
    Stream,
    /// It logs the user out.
    Logout,
}

/// Whether this pod adopts sessions of other pods now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopts {
    /// It adopts them.
    Yes,
    /// It drains or is full.
    No,
    /// Its maintenance countdown has ended, and it serves no session.
    Closed,
}

/// What a pod does with a session that it does not own, when a request for it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Adopt it unless it is [pinned](SharedSession::pinned) to its owner meanwhile.
    AdoptUnlessPinned,
    /// Adopt it.
    Adopt,
    /// Serve the request and leave the session with its owner. For a logout, ask the owner to end it.
    Guest,
    /// End it in place of its owner, which is gone.
    End,
    /// Answer with the maintenance page: the owner is gone, and no pod may adopt the session.
    Maintenance,
}

/// Decides what the pod `me` does with a session that it does not hold.
pub fn claim(me: &PodName, adopts: Adopts, session: &SharedSession, owner: Owner, purpose: Purpose) -> Claim {
    // `me` is the owner by name but does not hold the session: an earlier process of this name left it, or this process
    // released it.
    let owner = if session.pod == *me { Owner::Gone } else { owner };
    match (purpose, owner, adopts) {
        (Purpose::Logout, Owner::Gone, _) => Claim::End,
        (Purpose::Logout, Owner::Alive(_) | Owner::Draining(_) | Owner::Unknown, _) => Claim::Guest,
        (Purpose::Request | Purpose::Stream, Owner::Gone, Adopts::Closed) => Claim::Maintenance,
        (Purpose::Request | Purpose::Stream, Owner::Unknown, _) => Claim::Guest,
        (Purpose::Request | Purpose::Stream, _, Adopts::No | Adopts::Closed) => Claim::Guest,
        (Purpose::Request | Purpose::Stream, Owner::Draining(_) | Owner::Gone, Adopts::Yes) => Claim::Adopt,
        (Purpose::Request | Purpose::Stream, Owner::Alive(_), Adopts::Yes) if session.pinned => Claim::Guest,
        (Purpose::Request | Purpose::Stream, Owner::Alive(_), Adopts::Yes) => Claim::AdoptUnlessPinned,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn pod(name: &str) -> PodName {
        PodName::new(name).unwrap()
    }

    fn session(owner: &str, pinned: bool) -> SharedSession {
        SharedSession {
            id: SessionId::from_uuid(Uuid::from_u128(1)),
            user: UserName::anonymous(),
            login_time: Timestamp::default(),
            last_activity: Timestamp::default(),
            pod: pod(owner),
            pinned,
            protected: false,
            notified: None,
        }
    }

    const ALIVE: Owner = Owner::Alive(None);
    const DRAINING: Owner = Owner::Draining(None);

    #[test]
    fn a_session_is_adopted_only_if_it_is_not_pinned_to_its_owner_or_the_owner_drains_or_is_gone() {
        for (owner, pinned, state, adopts, expected) in [
            ("b", false, ALIVE, Adopts::Yes, Claim::AdoptUnlessPinned),
            ("b", true, ALIVE, Adopts::Yes, Claim::Guest),
            ("b", true, DRAINING, Adopts::Yes, Claim::Adopt),
            ("b", true, Owner::Gone, Adopts::Yes, Claim::Adopt),
            ("b", false, ALIVE, Adopts::No, Claim::Guest),
            ("b", false, Owner::Gone, Adopts::No, Claim::Guest),
            ("b", false, Owner::Gone, Adopts::Closed, Claim::Maintenance),
            ("b", false, DRAINING, Adopts::Closed, Claim::Guest),
            ("b", false, Owner::Unknown, Adopts::Yes, Claim::Guest),
            ("b", false, Owner::Unknown, Adopts::Closed, Claim::Guest),
            ("me", true, ALIVE, Adopts::Yes, Claim::Adopt),
            ("me", false, DRAINING, Adopts::No, Claim::Guest),
            ("me", false, DRAINING, Adopts::Closed, Claim::Maintenance),
        ] {
            for purpose in [Purpose::Request, Purpose::Stream] {
                let decided = claim(&pod("me"), adopts, &session(owner, pinned), state, purpose);
                assert_eq!(decided, expected, "{owner} {pinned} {state:?} {adopts:?} {purpose:?}");
            }
        }
    }

    #[test]
    fn a_logout_never_adopts_and_is_left_to_an_owner_with_a_lease() {
        for adopts in [Adopts::Yes, Adopts::No, Adopts::Closed] {
            for (owner, state, expected) in [
                ("b", ALIVE, Claim::Guest),
                ("b", DRAINING, Claim::Guest),
                ("b", Owner::Gone, Claim::End),
                ("me", ALIVE, Claim::End),
            ] {
                let decided = claim(&pod("me"), adopts, &session(owner, false), state, Purpose::Logout);
                assert_eq!(decided, expected, "{owner} {state:?} {adopts:?}");
            }
        }
    }
}
