//! Why the switch cannot be read.

use thiserror::Error;

use crate::state::SwitchValueError;

/// Why the switch cannot be read.
///
/// The messages continue a sentence that begins with the switch's name, such as "the file /etc/switch does not exist".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SwitchReadError {
    /// The file or the ConfigMap does not exist. The operator creates it again, with the intended value.
    #[error("does not exist")]
    NotFound,
    /// The ConfigMap has lost its key. The operator adds it again.
    #[error("has lost its key {}; write true or false there", crate::KEY)]
    MissingKey,
    /// The value is neither on nor off. The operator corrects it.
    #[error(transparent)]
    InvalidValue(#[from] SwitchValueError),
    /// Reading is not permitted. The operator changes the mode of the file, or the role of the pod's service account.
    #[error("may not be read: {0}")]
    Forbidden(String),
    /// The file cannot be read, for example because it is a directory.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The Kubernetes API is unavailable. Reading is repeated.
    #[error("is not available: {0}")]
    Unavailable(String),
}
