//! `ADMIN_AUTH=token`: who knows the token comes in, and where there is none, who can read the log.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderValue};
use http_support::Token;
use tracing::warn;

use super::SIGN_IN;
use super::links::{GOOD_FOR, Links};
use super::login_throttle::{LoginThrottle, WrongGuess};
use super::operator::{How, Operator};
use super::tickets::{self, Ticket, Tickets};
use crate::audit::{Audit, Deed};

/// The lock on the door.
#[derive(Debug)]
pub(crate) struct Lock {
    /// `ADMIN_TOKEN`; none: links alone let in.
    token: Option<Token>,
    /// The port that links lead to.
    port: u16,
    pub(super) tickets: Tickets,
    links: Links,
    throttle: LoginThrottle,
    audit: Audit,
}

/// Why somebody does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// They do not say who they are.
    Unknown,
    /// What they say is not right.
    Wrong,
    /// Too much was guessed from there; after this time they may try again.
    TooMany(Duration),
}

/// Somebody who is in, and the cookie that keeps them in.
pub(super) type Admitted = (Operator, Option<HeaderValue>);

impl Lock {
    pub(super) fn new(token: Option<Token>, port: u16, audit: Audit) -> Self {
        let now = Instant::now();
        Self {
            token,
            port,
            tickets: Tickets::new(now),
            links: Links::default(),
            throttle: LoginThrottle::new(now),
            audit,
        }
    }

    /// Whether there is a token to sign in with.
    pub(crate) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Prints a link that signs in once; `false` so soon after the one before.
    pub(crate) fn print_link(&self) -> bool {
        let Some(once) = self.links.issue(Instant::now()) else { return false };
        let (port, minutes) = (self.port, GOOD_FOR.as_secs() / 60);
        warn!(
            "ADMIN_TOKEN is not set. To sign in, open within {minutes} min: http://localhost:{port}{SIGN_IN}?once={once}"
        );
        true
    }

    /// How long it is until another link can be printed; zero where it is now.
    pub(crate) fn next_link_in(&self) -> Duration {
        self.links.next_in(Instant::now())
    }

    /// Whether a link may be used.
    pub(crate) fn is_good_link(&self, once: &str) -> bool {
        self.links.is_good(once, Instant::now())
    }

    /// Finds out who sends a request: by its bearer token, else by its cookie, which may have to be renewed.
    ///
    /// # Errors
    /// Where that is nobody who may come in.
    pub(super) fn find(&self, headers: &HeaderMap, from: IpAddr) -> Result<Admitted, Refused> {
        if let Some(presented) = http_support::bearer_token(headers) {
            self.check(from, self.is_token(presented))?;
            return Ok((Operator::unnamed(How::Bearer, from), None));
        }
        let now = Instant::now();
        let ticket = self.tickets.read(headers, now).ok_or(Refused::Unknown)?;
        let renewed = self.tickets.renew(ticket, now).and_then(|ticket| self.tickets.write(ticket, headers));
        Ok((Operator::unnamed(ticket.how, from), renewed))
    }

    /// Whether the request's sender has signed in.
    pub(crate) fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        self.tickets.read(headers, Instant::now()).is_some()
    }

    /// Signs in with the token, and gives the cookie.
    ///
    /// # Errors
    /// Where it is not the token, or was guessed too often.
    pub(crate) fn sign_in(
        &self,
        token: &str,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Result<Option<HeaderValue>, Refused> {
        self.check(from, self.is_token(token))?;
        Ok(self.admit(How::Password, headers, from))
    }

    /// Signs in by a link, which is used up by that, and gives the cookie.
    ///
    /// # Errors
    /// Where the link is not good any more or never was, or was guessed too often.
    pub(crate) fn redeem(&self, once: &str, headers: &HeaderMap, from: IpAddr) -> Result<Option<HeaderValue>, Refused> {
        self.check(from, self.links.redeem(once, Instant::now()))?;
        Ok(self.admit(How::Link, headers, from))
    }

    /// Ends the sign-in that a request comes with, and gives the cookie that takes it from the browser.
    pub(crate) fn sign_out(&self, headers: &HeaderMap, from: IpAddr) -> Option<HeaderValue> {
        let now = Instant::now();
        if let Some(ticket) = self.tickets.read(headers, now) {
            self.tickets.end(ticket, now);
            self.audit.done(&Operator::unnamed(ticket.how, from), Deed::SignedOut, None);
        }
        tickets::clear(headers)
    }

    fn admit(&self, how: How, headers: &HeaderMap, from: IpAddr) -> Option<HeaderValue> {
        let ticket: Ticket = self.tickets.issue(how, Instant::now());
        self.audit.done(&Operator::unnamed(how, from), Deed::SignedIn, None);
        self.tickets.write(ticket, headers)
    }

    fn is_token(&self, presented: impl AsRef<[u8]>) -> bool {
        self.token.as_ref().is_some_and(|token| token.matches(presented))
    }

    /// Lets a right one pass at once, and throttles wrong ones. Guesses beyond those are not written down one by one.
    fn check(&self, from: IpAddr, is_right: bool) -> Result<(), Refused> {
        if is_right {
            return Ok(());
        }
        match self.throttle.wrong(from, Instant::now()) {
            WrongGuess::PodEvent => {
                self.audit.refused(from);
                Err(Refused::Wrong)
            }
            WrongGuess::TooMany(wait) => Err(Refused::TooMany(wait)),
        }
    }
}
