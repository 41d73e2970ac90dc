//! Sessions that several pods know of: what a shared store keeps of them, and which pod may do what with a session that it
//! does not hold.

use std::time::Duration;

use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::Reason;
use crate::time::Timestamp;

/// A session as the shared store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSession {
    /// The session's id.
    pub id: SessionId,
    /// The user it belongs to.
    pub user: UserName,
    /// When it began.
    pub login_time: Timestamp,
    /// When its last request came in, at any pod.
    pub last_activity: Timestamp,
    /// The pod that owns it: there it holds its place in a drain.
    pub pod: PodName,
    /// Whether its owner holds an event stream of it.
    pub streaming: bool,
    /// The notice that it was notified of, while that runs. A maintenance is the same one on every pod.
    pub notified: Option<Reason>,
}

/// What the pod that owns a session says of itself, as long as its lease lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It serves, or is in maintenance.
    Alive(Option<OwnerNotice>),
    /// It drains: any other pod may adopt its sessions.
    Draining(Option<OwnerNotice>),
    /// Its lease has run out.
    Gone,
    /// Its lease is missing, and it may not have been able to renew it.
    Unknown,
}

/// The notice that runs on the pod that owns a session: another pod that serves the session shows it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerNotice {
    /// Why the countdown runs.
    pub reason: Reason,
    /// The time until the forced end. Zero once the deadline has passed.
    pub remaining: Duration,
    /// Whether browsers sign out by themselves at the end.
    pub auto_logout: bool,
    /// Whether the session goes on at another pod after the end.
    pub stays_signed_in: bool,
}

impl Owner {
    /// The notice that runs there.
    pub const fn notice(self) -> Option<OwnerNotice> {
        match self {
            Self::Alive(notice) | Self::Draining(notice) => notice,
            Self::Gone | Self::Unknown => None,
        }
    }

    /// What it said, so long ago.
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

/// What a request that names a session of another pod is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Any request.
    Request,
    /// It opens an event stream.
    Stream,
    /// Its user logs out.
    Logout,
}

/// Whether the pod takes over sessions of other pods now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopts {
    /// It does.
    Yes,
    /// It drains, or is full.
    No,
    /// Its maintenance countdown has ended: nobody can be served.
    Closed,
}

/// What a pod does with a session that a request names and that it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Takes it over, unless its owner opens a stream of it meanwhile.
    AdoptUnlessStreaming,
    /// Takes it over.
    Adopt,
    /// Serves the request and leaves the session where it is. At a logout the owner is asked to end it.
    Guest,
    /// Ends it in the place of its owner, which is gone.
    End,
    /// Answers with the maintenance page: no pod owns the session, and none may adopt it.
    Maintenance,
}

/// Decides what the pod `me` does with a session of another pod.
pub fn claim(me: &PodName, adopts: Adopts, session: &SharedSession, owner: Owner, purpose: Purpose) -> Claim {
    // A session that is ours by name and not here was left by an earlier process of this name, or released by this one.
    let owner = if session.pod == *me { Owner::Gone } else { owner };
    match (purpose, owner, adopts) {
        (Purpose::Logout, Owner::Gone, _) => Claim::End,
        (Purpose::Logout, Owner::Alive(_) | Owner::Draining(_) | Owner::Unknown, _) => Claim::Guest,
        (Purpose::Request | Purpose::Stream, Owner::Gone, Adopts::Closed) => Claim::Maintenance,
        (Purpose::Request | Purpose::Stream, Owner::Unknown, _) => Claim::Guest,
        (Purpose::Request | Purpose::Stream, _, Adopts::No | Adopts::Closed) => Claim::Guest,
        (Purpose::Request | Purpose::Stream, Owner::Draining(_) | Owner::Gone, Adopts::Yes) => Claim::Adopt,
        (Purpose::Request | Purpose::Stream, Owner::Alive(_), Adopts::Yes) if session.streaming => Claim::Guest,
        (Purpose::Request | Purpose::Stream, Owner::Alive(_), Adopts::Yes) => Claim::AdoptUnlessStreaming,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn pod(name: &str) -> PodName {
        PodName::new(name).unwrap()
    }

    fn session(owner: &str, streaming: bool) -> SharedSession {
        SharedSession {
            id: SessionId::from_uuid(Uuid::from_u128(1)),
            user: UserName::anonymous(),
            login_time: Timestamp::default(),
            last_activity: Timestamp::default(),
            pod: pod(owner),
            streaming,
            notified: None,
        }
    }

    const ALIVE: Owner = Owner::Alive(None);
    const DRAINING: Owner = Owner::Draining(None);

    #[test]
    fn a_session_is_adopted_only_where_its_owner_holds_no_stream_drains_or_is_gone() {
        for (owner, streaming, state, adopts, expected) in [
            ("b", false, ALIVE, Adopts::Yes, Claim::AdoptUnlessStreaming),
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
                let decided = claim(&pod("me"), adopts, &session(owner, streaming), state, purpose);
                assert_eq!(decided, expected, "{owner} {streaming} {state:?} {adopts:?} {purpose:?}");
            }
        }
    }

    #[test]
    fn a_logout_never_adopts_and_is_the_owners_while_its_lease_lasts() {
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
