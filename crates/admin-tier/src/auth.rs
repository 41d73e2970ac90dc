//! How operators are authenticated (`ADMIN_AUTH`): by a token, by a proxy in front, or not at all.
//!
//! The middleware `require_operator` asks [`Auth`] for the operator who sends a request, and refuses the request where there
//! is none. In token mode [`TokenAuth`] checks the token, sign-in cookies and one-time links, and throttles wrong guesses.

mod login_throttle;
mod one_time_links;
mod proxy_identity;
mod return_path;
mod sign_in_cookies;
mod sign_in_guard;
mod token_auth;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderValue};
use http_support::TrustedUser;
pub(crate) use proxy_identity::IdentityError;
pub(crate) use return_path::{ReturnPath, SIGN_IN_PATH};
pub(crate) use sign_in_guard::SignInGuard;
pub(crate) use token_auth::{CredentialsError, TokenAuth};

use crate::audit::Audit;
use crate::operator::{AuthMethod, Operator};
use crate::options::AdminAuth;

/// How operators are authenticated. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// By `ADMIN_TOKEN`, a sign-in cookie or a one-time link.
    Token(Arc<TokenAuth>),
    /// By the name in a proxy's header.
    Proxy(TrustedUser),
    /// Not at all.
    Off,
}

/// Why a request's sender may not view or change anything.
#[derive(Clone, Debug)]
pub(crate) enum AuthError {
    /// Token mode refuses the credentials.
    Credentials(CredentialsError),
    /// Proxy mode refuses the identity.
    Identity(IdentityError),
}

impl Auth {
    /// Creates the authentication that the option asks for. One-time links lead to `port` of this machine; sign-ins are
    /// recorded in `audit`.
    pub(crate) fn new(option: &AdminAuth, port: u16, audit: Audit) -> Self {
        match option {
            AdminAuth::Token(token) => Self::Token(Arc::new(TokenAuth::new(token.clone(), port, audit))),
            AdminAuth::Proxy(trusted) => Self::Proxy(trusted.clone()),
            AdminAuth::Off => Self::Off,
        }
    }

    /// Returns the token authentication, in token mode.
    pub(crate) fn token_auth(&self) -> Option<&TokenAuth> {
        match self {
            Self::Token(token_auth) => Some(token_auth),
            Self::Proxy(_) | Self::Off => None,
        }
    }

    /// Finds the operator who sends a request from `address`, and the renewed sign-in cookie where one is due.
    ///
    /// # Errors
    /// Where the sender is no operator.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<(Operator, Option<HeaderValue>), AuthError> {
        match self {
            Self::Off => Ok((Operator::unnamed(AuthMethod::Open, address), None)),
            Self::Proxy(trusted) => match proxy_identity::operator(trusted, headers, address) {
                Ok(operator) => Ok((operator, None)),
                Err(error) => Err(AuthError::Identity(error)),
            },
            Self::Token(token_auth) => token_auth.authenticate(headers, address).map_err(AuthError::Credentials),
        }
    }

    /// Returns a guard on the sign-in that a request comes with; `None` where the operator has not signed in by a cookie.
    pub(crate) fn sign_in_guard(&self, operator: &Operator, headers: &HeaderMap) -> Option<SignInGuard> {
        match self {
            Self::Token(token_auth) if operator.method.is_signed_in() => SignInGuard::new(token_auth, headers),
            Self::Token(_) | Self::Proxy(_) | Self::Off => None,
        }
    }
}
