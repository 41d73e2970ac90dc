//! The operator who sends a request: a name, how the operator was authenticated, and the address of the connection.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use session_domain::UserName;

/// An operator who may view and change everything here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// The operator's name. Only a proxy knows names; with other methods this is a generic name.
    pub(crate) name: UserName,
    /// How the operator was authenticated.
    pub(crate) method: AuthMethod,
    /// The address of the connection: the proxy's where a proxy stands in between.
    pub(crate) address: IpAddr,
}

/// How an operator was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthMethod {
    /// Signed in with `ADMIN_TOKEN` on the sign-in page.
    Password,
    /// Signed in by a one-time link.
    Link,
    /// Presents `ADMIN_TOKEN` as a bearer token with each request.
    Bearer,
    /// Named by the proxy in front.
    Proxy,
    /// Not authenticated, because `ADMIN_AUTH` is `off`.
    Open,
}

impl AuthMethod {
    /// Returns the name of the method in cookies and log fields.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Bearer => "bearer",
            Self::Proxy => "proxy",
            Self::Open => "open",
        }
    }

    /// Returns whether the operator has a sign-in cookie and can sign out.
    pub(crate) const fn is_signed_in(self) -> bool {
        matches!(self, Self::Password | Self::Link)
    }
}

impl Operator {
    /// Creates an operator whose name is not known.
    pub(crate) fn unnamed(method: AuthMethod, address: IpAddr) -> Self {
        let name = match method {
            AuthMethod::Password | AuthMethod::Link | AuthMethod::Proxy => "operator",
            AuthMethod::Bearer => "script",
            AuthMethod::Open => "anybody",
        };
        Self { name: UserName::from_input(name), method, address }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        // Absent only where a route was added outside `require_operator` by mistake: such a route stays closed.
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
