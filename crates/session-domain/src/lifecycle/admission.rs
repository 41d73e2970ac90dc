//! Which sessions a pod admits.

/// Which sessions a pod admits. Ordered: each variant admits fewer sessions than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admission {
    /// New sessions, and sessions of other pods.
    Open,
    /// Sessions of other pods only.
    AdoptionsOnly,
    /// No session.
    Closed,
}
