//! Why a handle cannot be started, and why its work ended before its time.

use thiserror::Error;
use tokio::task::JoinError;

/// The background work of a handle was started a second time.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("this handle was started before: build another one")]
pub struct AlreadyStarted;

/// Why a service ended other than by a drain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The handle was started before.
    #[error(transparent)]
    AlreadyStarted(#[from] AlreadyStarted),
    /// The gRPC services do not describe themselves. A fault of the build.
    #[cfg(feature = "introspection")]
    #[error("the gRPC services cannot be described")]
    Introspection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A part of the service ended before the drain was over. A fault of ours: the process should exit.
    #[error("a part of the service ended before its time")]
    PartEnded(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
}

impl ServeError {
    pub(crate) fn part_ended(error: Option<JoinError>) -> Self {
        Self::PartEnded(error.map(Into::into))
    }
}
