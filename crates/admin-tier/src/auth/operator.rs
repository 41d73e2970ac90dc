//! Who is behind a request.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use session_domain::UserName;

/// Somebody who may look and act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// Their name. Only a proxy knows names; the others are called after what they are.
    pub(crate) name: UserName,
    /// How they are known.
    pub(crate) how: How,
    /// Where their connection comes from: a proxy, if there is one in between.
    pub(crate) from: IpAddr,
}

/// How an operator is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Signed in with the token.
    Password,
    /// Signed in by a link that was good once.
    Link,
    /// Presents the token with the request.
    Bearer,
    /// Named by the proxy in front.
    Proxy,
    /// Not at all: everybody may.
    Open,
}

impl How {
    /// One word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Bearer => "bearer",
            Self::Proxy => "proxy",
            Self::Open => "open",
        }
    }

    /// Whether there is something to sign out of.
    pub(crate) const fn is_signed_in(self) -> bool {
        matches!(self, Self::Password | Self::Link)
    }
}

impl Operator {
    /// Somebody whose name nobody knows.
    pub(super) fn unnamed(how: How, from: IpAddr) -> Self {
        let name = match how {
            How::Password | How::Link | How::Proxy => "operator",
            How::Bearer => "script",
            How::Open => "anybody",
        };
        Self { name: UserName::from_input(name), how, from }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        // Missing, a route stands outside the guard: a fault of ours, and nobody passes by it.
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
