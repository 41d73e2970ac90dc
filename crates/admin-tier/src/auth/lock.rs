//! `ADMIN_AUTH=token`: who knows the token comes in, and where there is none, who can read the log.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use door::Token;
use http::header::{HeaderMap, HeaderValue};
use tokio::time::sleep;
use tracing::warn;

use super::SIGN_IN;
use super::guesses::{Guesses, Turn};
use super::links::{GOOD_FOR, Links};
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
    guesses: Guesses,
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
        Self { token, port, tickets: Tickets::new(now), links: Links::default(), guesses: Guesses::new(now), audit }
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

    /// Whether a link may be used.
    pub(crate) fn is_good_link(&self, once: &str) -> bool {
        self.links.is_good(once, Instant::now())
    }

    /// Finds out who sends a request: by its bearer token, else by its cookie, which may have to be renewed.
    ///
    /// # Errors
    /// Where that is nobody who may come in.
    pub(super) async fn find(&self, headers: &HeaderMap, from: IpAddr) -> Result<Admitted, Refused> {
        if let Some(presented) = door::bearer(headers) {
            self.hear(from, || self.is_token(presented)).await?;
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
    pub(crate) async fn sign_in(
        &self,
        token: &str,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Result<Option<HeaderValue>, Refused> {
        self.hear(from, || self.is_token(token)).await?;
        Ok(self.admit(How::Password, headers, from))
    }

    /// Signs in by a link, which is used up by that, and gives the cookie.
    ///
    /// # Errors
    /// Where the link is not good any more or never was, or was guessed too often.
    pub(crate) async fn redeem(
        &self,
        once: &str,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Result<Option<HeaderValue>, Refused> {
        self.hear(from, || self.links.redeem(once, Instant::now())).await?;
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

    fn is_token(&self, presented: &str) -> bool {
        self.token.as_ref().is_some_and(|token| token.is(presented))
    }

    /// Hears a guess when it is its turn.
    async fn hear(&self, from: IpAddr, is_right: impl Fn() -> bool) -> Result<(), Refused> {
        match self.guesses.turn(from, Instant::now()) {
            Turn::Now if is_right() => Ok(()),
            Turn::Now => {
                self.guesses.was_wrong(from, Instant::now());
                self.audit.refused(from);
                Err(Refused::Wrong)
            }
            Turn::After(wait) => {
                sleep(wait).await;
                if is_right() {
                    self.guesses.was_right(from);
                    return Ok(());
                }
                self.audit.refused(from);
                Err(Refused::TooMany(wait))
            }
            Turn::Never(wait) => Err(Refused::TooMany(wait)),
        }
    }
}
