//! Why the Kubernetes API did not do what it was asked for.

use std::time::Duration;

use kube::core::Status;
use thiserror::Error;

/// Why a list or a watch failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ApiError {
    /// The service account may not list or watch the objects (401, 403). The operator grants it.
    #[error("the Kubernetes API refuses ({code}): {message}")]
    Forbidden {
        /// The status code.
        code: u16,
        /// The API's reason.
        message: String,
    },
    /// The objects changed too much since the watched revision (410). They are listed again at once.
    #[error("the watched revision has expired")]
    Expired,
    /// Another status. The request is repeated.
    #[error("the Kubernetes API answers {code}: {message}")]
    Status {
        /// The status code.
        code: u16,
        /// The API's reason.
        message: String,
    },
    /// The API did not answer in time. The request is repeated.
    #[error("the Kubernetes API does not answer within {0:?}")]
    Timeout(Duration),
    /// The API cannot be reached, or its answer cannot be read. The request is repeated.
    #[error("the Kubernetes API cannot be reached: {0}")]
    Unreachable(String),
    /// A list came without a revision to watch from. The request is repeated.
    #[error("the Kubernetes API gives no revision for a list")]
    NoRevision,
}

impl From<&Status> for ApiError {
    fn from(status: &Status) -> Self {
        let (code, message) = (status.code, status.message.clone());
        match code {
            410 => Self::Expired,
            401 | 403 => Self::Forbidden { code, message },
            _ => Self::Status { code, message },
        }
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => (&*status).into(),
            other => Self::Unreachable(error_chain(&other)),
        }
    }
}

/// Writes an error and its sources in one line. Leaves out sources that the text already contains.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = error.source();
    }
    text
}
