//! `ADMIN_AUTH=proxy`: the operator's name comes from a header that the proxy in front sets.

use std::net::IpAddr;

use http::header::{HeaderMap, HeaderName};
use http_support::{ProxyIdentityError, TrustedUser};
use session_domain::UserName;
use thiserror::Error;

use crate::operator::{AuthMethod, Operator};

/// Why a request has no operator in proxy mode.
#[derive(Clone, Debug, Error)]
pub(crate) enum IdentityError {
    /// The connection does not come from the proxy.
    #[error(
        "This admin tier only answers requests that come through its proxy, and this connection does not. Use the \
         proxy's address."
    )]
    NotFromProxy,
    /// The proxy sends no name.
    #[error("The proxy in front sends no user name: the header {0} is missing or empty.")]
    NoName(HeaderName),
    /// The header cannot be used.
    #[error("{0}.")]
    BadHeader(ProxyIdentityError),
}

/// Reads the operator's name, where the connection comes from a trusted proxy.
pub(super) fn operator(trusted: &TrustedUser, headers: &HeaderMap, address: IpAddr) -> Result<Operator, IdentityError> {
    if !trusted.trusts(address) {
        return Err(IdentityError::NotFromProxy);
    }
    let name = trusted.name(headers, address).map_err(IdentityError::BadHeader)?;
    let name = name.ok_or_else(|| IdentityError::NoName(trusted.header().clone()))?;
    Ok(Operator { name: UserName::from_input(name), method: AuthMethod::Proxy, address })
}
