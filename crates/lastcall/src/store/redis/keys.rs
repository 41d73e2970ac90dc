//! The names of the keys in Redis. `session:{id}` is the contract's; the others begin with `lastcall:`.

use session_domain::{PodName, SessionId};

/// Names the contents of the store.
pub(super) const EPOCH: &str = "lastcall:epoch";

/// Exists for a while after the store has lost its data.
pub(super) const SETTLING: &str = "lastcall:settling";

/// A hash of the secrets that sign cookies, with their ages.
pub(super) const SECRETS: &str = "lastcall:session-keys";

/// A set of the pods that renew a lease.
pub(super) const PODS: &str = "lastcall:pods";

/// A session's hash.
pub(super) fn session(id: SessionId) -> String {
    format!("session:{id}")
}

/// Exists for a while after a login has replaced the session's id. The braces make a cluster keep it in the session's slot, so
/// that one script writes both.
pub(super) fn replaced(id: SessionId) -> String {
    format!("lastcall:replaced:{{{}}}", session(id))
}

/// A pod's lease.
pub(super) fn lease(pod: &PodName) -> String {
    format!("lastcall:pod:{pod}")
}

/// A pod's inbox.
pub(super) fn inbox(pod: &PodName) -> String {
    format!("lastcall:inbox:{pod}")
}
