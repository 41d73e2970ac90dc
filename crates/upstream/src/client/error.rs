//! Why the app gave no answer, or not all of it.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::request_body::Upload;

/// What failed, in a word for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No connection could be opened.
    Connect,
    /// Opening a connection took too long.
    ConnectTimeout,
    /// The connection closed before the answer.
    Closed,
    /// The answer is not HTTP, or cannot be passed on.
    Invalid,
    /// The connection closed in the middle of the answer's body.
    Cut,
    /// The body of the request broke off: the client has left.
    Client,
}

impl ErrorKind {
    /// The kinds that are the app's fault.
    pub const OF_THE_APP: [Self; 5] = [Self::Connect, Self::ConnectTimeout, Self::Closed, Self::Invalid, Self::Cut];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::Closed => "closed",
            Self::Invalid => "invalid",
            Self::Cut => "cut",
            Self::Client => "client",
        }
    }
}

/// Why the app gave no answer that can be passed on.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// No connection could be opened: the app is not there, or not yet.
    #[error("cannot connect to the app")]
    Connect(#[source] io::Error),
    /// Opening a connection took longer than this.
    #[error("the app did not accept the connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The app closed the connection without an answer.
    #[error("the app closed the connection without an answer")]
    Closed(#[source] hyper::Error),
    /// The answer is not HTTP, or too large.
    #[error("the answer of the app is not valid HTTP/1.1, or its head is too large")]
    Invalid(#[source] hyper::Error),
    /// The answer cannot be passed on.
    #[error("the answer of the app cannot be passed on: {0}")]
    Refused(&'static str),
    /// The body of the request broke off: the client has left.
    #[error("the request broke off")]
    Client(#[source] hyper::Error),
}

impl UpstreamError {
    /// What failed.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect(_) => ErrorKind::Connect,
            Self::ConnectTimeout(_) => ErrorKind::ConnectTimeout,
            Self::Closed(_) => ErrorKind::Closed,
            Self::Invalid(_) | Self::Refused(_) => ErrorKind::Invalid,
            Self::Client(_) => ErrorKind::Client,
        }
    }

    /// Whether the app is to blame, not the client.
    pub const fn is_of_the_app(&self) -> bool {
        !matches!(self, Self::Client(_))
    }

    pub(super) fn of_request(error: hyper::Error, upload: Option<&Upload>) -> Self {
        if upload.is_some_and(Upload::has_failed) {
            Self::Client(error)
        } else if error.is_parse() || error.is_parse_too_large() {
            Self::Invalid(error)
        } else {
            Self::Closed(error)
        }
    }
}

/// Whether the connection closed before any answer.
pub(super) fn is_closed_unanswered(error: &hyper::Error) -> bool {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return true;
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| {
        matches!(
            cause.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
        )
    })
}
