//! Sessions that several pods know of: what a shared store keeps, and who may have a session that comes along.

use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::Reason;
use crate::time::Timestamp;

/// A session as the shared store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSession {
    /// The session's id.
    pub id: SessionId,
    /// Who it belongs to.
    pub user: UserName,
    /// When it began.
    pub login_time: Timestamp,
    /// When its last request came in, at whatever pod.
    pub last_activity: Timestamp,
    /// The pod that owns it: there it holds its place in a drain.
    pub pod: PodName,
    /// Whether its owner holds an event stream of it.
    pub streaming: bool,
    /// What it was told of, where that runs still. A maintenance is the same one on every pod.
    pub told: Option<Reason>,
}

/// How the owner of a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It serves.
    Alive,
    /// It drains: whoever comes may have its sessions.
    Draining,
    /// Nobody has heard of it for longer than its lease.
    Gone,
}

/// What a pod does with a session that comes along and that it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Takes it over, unless its owner opens a stream of it meanwhile.
    AdoptUnlessStreaming,
    /// Takes it over.
    Adopt,
    /// Serves the request and leaves the session where it is.
    Guest,
}

/// Decides. `adopts` says whether the pod takes sessions over now: one that drains never does.
pub fn claim(me: &PodName, adopts: bool, session: &SharedSession, owner: Owner) -> Claim {
    match owner {
        _ if !adopts => Claim::Guest,
        // Ours by name, and not here: what an earlier process of this name has left.
        _ if session.pod == *me => Claim::Adopt,
        Owner::Draining | Owner::Gone => Claim::Adopt,
        Owner::Alive if session.streaming => Claim::Guest,
        Owner::Alive => Claim::AdoptUnlessStreaming,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_session_is_adopted_only_where_its_owner_holds_no_stream_drains_or_is_gone() {
        let pod = |name: &str| PodName::new(name).unwrap();
        let session = |owner: &str, streaming| SharedSession {
            id: SessionId::from_uuid(Uuid::from_u128(1)),
            user: UserName::anonymous(),
            login_time: Timestamp::default(),
            last_activity: Timestamp::default(),
            pod: pod(owner),
            streaming,
            told: None,
        };
        for (owner, streaming, standing, admits, expected) in [
            ("b", false, Owner::Alive, true, Claim::AdoptUnlessStreaming),
            ("b", true, Owner::Alive, true, Claim::Guest),
            ("b", true, Owner::Draining, true, Claim::Adopt),
            ("b", true, Owner::Gone, true, Claim::Adopt),
            ("b", false, Owner::Alive, false, Claim::Guest),
            ("b", false, Owner::Gone, false, Claim::Guest),
            ("me", true, Owner::Alive, true, Claim::Adopt),
            ("me", false, Owner::Draining, false, Claim::Guest),
        ] {
            let decided = claim(&pod("me"), admits, &session(owner, streaming), standing);
            assert_eq!(decided, expected, "{owner} {streaming} {standing:?} {admits}");
        }
    }
}
