//! `ADMIN_AUTH=token`: an operator presents the token, or a one-time link from the log where no token is set.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderValue};
use http_support::Token;
use tracing::warn;

use super::login_throttle::{LoginThrottle, WrongGuess};
use super::one_time_links::{LINK_LIFETIME, OneTimeLinks};
use super::return_path::SIGN_IN_PATH;
use super::sign_in_cookies::{self, SignInCookies};
use crate::audit::{Audit, AuditAction};
use crate::operator::{AuthMethod, Operator};

/// Checks tokens, links and sign-in cookies.
#[derive(Debug)]
pub(crate) struct TokenAuth {
    /// `ADMIN_TOKEN`; `None`: only one-time links sign in.
    token: Option<Token>,
    /// The port that one-time links lead to.
    port: u16,
    pub(super) cookies: SignInCookies,
    links: OneTimeLinks,
    throttle: LoginThrottle,
    audit: Audit,
}

/// Why credentials are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialsError {
    /// The request has no credentials, or its cookie has expired.
    Missing,
    /// The token or the link is wrong.
    Wrong,
    /// The client has guessed wrong too often; it may try again after this time.
    TooManyAttempts(Duration),
}

impl TokenAuth {
    pub(super) fn new(token: Option<Token>, port: u16, audit: Audit) -> Self {
        let now = Instant::now();
        Self {
            token,
            port,
            cookies: SignInCookies::new(now),
            links: OneTimeLinks::default(),
            throttle: LoginThrottle::new(now),
            audit,
        }
    }

    /// Returns whether `ADMIN_TOKEN` is set.
    pub(crate) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Prints a one-time link to the log; returns `false` where the last one was printed too recently.
    pub(crate) fn print_link(&self) -> bool {
        let Some(secret) = self.links.issue(Instant::now()) else { return false };
        let (port, minutes) = (self.port, LINK_LIFETIME.as_secs() / 60);
        warn!(
            "ADMIN_TOKEN is not set. To sign in, open within {minutes} min: \
             http://localhost:{port}{SIGN_IN_PATH}?once={secret}"
        );
        true
    }

    /// Returns the time until another link can be printed; zero where that is now.
    pub(crate) fn time_until_next_link(&self) -> Duration {
        self.links.time_until_next(Instant::now())
    }

    /// Returns whether a one-time link is valid.
    pub(crate) fn is_valid_link(&self, secret: &str) -> bool {
        self.links.is_valid(secret, Instant::now())
    }

    /// Finds the operator by the bearer token, else by the cookie; also returns the renewed cookie where one is due.
    ///
    /// # Errors
    /// Where there are no credentials, or they are wrong.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<(Operator, Option<HeaderValue>), CredentialsError> {
        if let Some(presented) = http_support::bearer_token(headers) {
            self.check(address, self.is_token(presented))?;
            return Ok((Operator::unnamed(AuthMethod::Bearer, address), None));
        }
        let now = Instant::now();
        let sign_in = self.cookies.read(headers, now).ok_or(CredentialsError::Missing)?;
        let renewed = self.cookies.renew(sign_in, now).and_then(|sign_in| self.cookies.write(sign_in, headers));
        Ok((Operator::unnamed(sign_in.method, address), renewed))
    }

    /// Returns whether a request's cookie is a valid sign-in.
    pub(crate) fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        self.cookies.read(headers, Instant::now()).is_some()
    }

    /// Signs in with the token and returns the cookie.
    ///
    /// # Errors
    /// Where the token is wrong, or the client has guessed wrong too often.
    pub(crate) fn sign_in(
        &self,
        token: &str,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<Option<HeaderValue>, CredentialsError> {
        self.check(address, self.is_token(token))?;
        Ok(self.start_sign_in(AuthMethod::Password, headers, address))
    }

    /// Signs in by a one-time link, which is used up, and returns the cookie.
    ///
    /// # Errors
    /// Where the link is not valid, or the client has guessed wrong too often.
    pub(crate) fn redeem_link(
        &self,
        secret: &str,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<Option<HeaderValue>, CredentialsError> {
        self.check(address, self.links.redeem(secret, Instant::now()))?;
        Ok(self.start_sign_in(AuthMethod::Link, headers, address))
    }

    /// Ends the sign-in of a request's cookie and returns the `Set-Cookie` value that removes the cookie.
    pub(crate) fn sign_out(&self, headers: &HeaderMap, address: IpAddr) -> Option<HeaderValue> {
        let now = Instant::now();
        if let Some(sign_in) = self.cookies.read(headers, now) {
            self.cookies.end(sign_in, now);
            self.audit.record_done(&Operator::unnamed(sign_in.method, address), AuditAction::SignedOut, None);
        }
        sign_in_cookies::clear(headers)
    }

    fn start_sign_in(&self, method: AuthMethod, headers: &HeaderMap, address: IpAddr) -> Option<HeaderValue> {
        let sign_in = self.cookies.start(method, Instant::now());
        self.audit.record_done(&Operator::unnamed(method, address), AuditAction::SignedIn, None);
        self.cookies.write(sign_in, headers)
    }

    fn is_token(&self, presented: impl AsRef<[u8]>) -> bool {
        self.token.as_ref().is_some_and(|token| token.matches(presented))
    }

    /// Accepts right credentials at once and throttles wrong ones. Throttled guesses are not recorded one by one.
    fn check(&self, address: IpAddr, is_right: bool) -> Result<(), CredentialsError> {
        if is_right {
            return Ok(());
        }
        match self.throttle.record_wrong_guess(address, Instant::now()) {
            WrongGuess::Allowed => {
                self.audit.record_refused_sign_in(address);
                Err(CredentialsError::Wrong)
            }
            WrongGuess::TooMany(wait) => Err(CredentialsError::TooManyAttempts(wait)),
        }
    }
}
