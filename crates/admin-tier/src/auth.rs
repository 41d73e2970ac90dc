//! Who may look and act (`ADMIN_AUTH`): a token, a proxy in front, or everybody.
//!
//! A request passes the [`guard`], which finds the [`Operator`] behind it or refuses it; handlers get the operator as an
//! extractor. What is not named open in the router is behind the guard. In token mode the [`Lock`] knows the token, who has
//! signed in, which links may sign in once, and who guesses.

mod destination;
mod guard;
mod links;
mod lock;
mod login_throttle;
mod operator;
mod stay;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use destination::{Destination, SIGN_IN};
pub(crate) use guard::guard;
use http::header::{CONNECTION, HeaderName, HeaderValue, RETRY_AFTER};
use http_support::TrustedUser;
pub(crate) use lock::{Lock, Refused};
pub(crate) use operator::{How, Operator};
pub(crate) use stay::Stay;

use crate::audit::Audit;
use crate::options::AdminAuth;

/// What tells somebody who guesses to wait: when to try again, and that each guess costs the connection.
pub(crate) fn slow_down(wait: Duration) -> [(HeaderName, HeaderValue); 2] {
    [(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1)), (CONNECTION, HeaderValue::from_static("close"))]
}

/// How operators are known.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// They sign in, or present the token.
    Token(Arc<Lock>),
    /// A proxy in front names them.
    Proxy(TrustedUser),
    /// Not at all.
    Off,
}

impl Auth {
    /// Takes the option. Links that sign in lead to `port` of this machine; who comes and goes is written down.
    pub(crate) fn new(option: &AdminAuth, port: u16, audit: Audit) -> Self {
        match option {
            AdminAuth::Token(token) => Self::Token(Arc::new(Lock::new(token.clone(), port, audit))),
            AdminAuth::Proxy(trusted) => Self::Proxy(trusted.clone()),
            AdminAuth::Off => Self::Off,
        }
    }

    /// The lock, where there is one.
    pub(crate) fn lock(&self) -> Option<&Lock> {
        match self {
            Self::Token(lock) => Some(lock),
            Self::Proxy(_) | Self::Off => None,
        }
    }
}
