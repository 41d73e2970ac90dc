//! Watches the sign-in that an open connection depends on, until the operator signs out or the sign-in has lasted too
//! long. The idle limit does not apply: the open connection counts as activity.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use tokio::sync::watch;

use super::sign_in_cookies::SignIn;
use super::token_auth::TokenAuth;

/// The sign-in that an open event stream depends on.
#[derive(Debug)]
pub(crate) struct SignInGuard {
    token_auth: Arc<TokenAuth>,
    sign_in: SignIn,
    sign_outs: watch::Receiver<()>,
}

impl SignInGuard {
    /// Watches the sign-in of a request's cookie; `None` where the request has no valid one.
    pub(super) fn new(token_auth: &Arc<TokenAuth>, headers: &HeaderMap) -> Option<Self> {
        // Subscribed first, so that a sign-out in between is not missed.
        let sign_outs = token_auth.cookies.sign_outs();
        let sign_in = token_auth.cookies.read(headers, Instant::now())?;
        Some(Self { token_auth: Arc::clone(token_auth), sign_in, sign_outs })
    }

    /// Returns whether the sign-in has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.token_auth.cookies.is_over(self.sign_in, Instant::now())
    }

    /// Waits until a sign-out has ended the sign-in.
    ///
    /// # Cancel safety
    /// A dropped wait loses nothing: the next call sees the sign-out.
    pub(crate) async fn ended(&mut self) {
        while !self.is_over() {
            if self.sign_outs.changed().await.is_err() {
                return;
            }
        }
    }
}
