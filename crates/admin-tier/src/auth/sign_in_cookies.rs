//! The sign-in cookie: signed, short-lived, renewed while it is used, and invalid after a sign-out.
//!
//! The signing key belongs to this process, and so does the clock: a cookie is valid until the process ends at the latest.
//! The cookie is not called `session`: cookies ignore the port, and the user tier may run on the same host.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cookie::{Cookie, CookieJar, Key, SameSite};
use http::header::{HeaderMap, HeaderValue};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use uuid::Uuid;

use crate::operator::AuthMethod;

/// How long a cookie stays valid without being used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The longest duration of a sign-in, even if it is used continuously.
const MAX_DURATION: Duration = Duration::from_secs(12 * 3600);

/// The age at which a cookie is renewed: not with every request.
const RENEWAL_AGE: Duration = Duration::from_secs(60);

const PLAIN_NAME: &str = "lastcall-admin";
const SECURE_NAME: &str = "__Host-lastcall-admin";

/// What a cookie says: an operator has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SignIn {
    id: Uuid,
    pub(super) method: AuthMethod,
    /// When it was started and last renewed, in seconds of this process.
    started: u64,
    renewed: u64,
}

/// Signs and verifies cookies, and remembers the sign-ins that have ended.
pub(super) struct SignInCookies {
    key: Key,
    start: Instant,
    /// Sign-ins that were ended, each until all of its cookies have expired. Only a signed-in operator can add one.
    ended: Mutex<HashMap<Uuid, Instant>>,
    /// Notifies open streams of a sign-out.
    sign_outs: watch::Sender<()>,
}

impl std::fmt::Debug for SignInCookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInCookies").finish_non_exhaustive()
    }
}

impl SignInCookies {
    pub(super) fn new(start: Instant) -> Self {
        Self { key: Key::generate(), start, ended: Mutex::default(), sign_outs: watch::Sender::new(()) }
    }

    /// Starts a sign-in.
    pub(super) fn start(&self, method: AuthMethod, now: Instant) -> SignIn {
        let seconds = self.seconds(now);
        SignIn { id: Uuid::new_v4(), method, started: seconds, renewed: seconds }
    }

    /// Reads the sign-in of a request's cookie, where the cookie is valid.
    pub(super) fn read(&self, headers: &HeaderMap, now: Instant) -> Option<SignIn> {
        let name = name(headers);
        let sign_in = http_support::cookies::values(headers, name).find_map(|value| self.verify(name, value))?;
        let seconds = self.seconds(now);
        let is_fresh = seconds < sign_in.renewed + IDLE_TIMEOUT.as_secs();
        (is_fresh && !self.is_over(sign_in, now)).then_some(sign_in)
    }

    /// Returns whether a sign-in has ended: signed out, or expired regardless of its use.
    pub(super) fn is_over(&self, sign_in: SignIn, now: Instant) -> bool {
        self.seconds(now) >= sign_in.started + MAX_DURATION.as_secs() || self.ended().contains_key(&sign_in.id)
    }

    /// Renews a sign-in; `None` where that is not due yet.
    pub(super) fn renew(&self, sign_in: SignIn, now: Instant) -> Option<SignIn> {
        let seconds = self.seconds(now);
        (seconds >= sign_in.renewed + RENEWAL_AGE.as_secs()).then_some(SignIn { renewed: seconds, ..sign_in })
    }

    /// Ends a sign-in: all of its cookies are invalid from now on, copies included.
    pub(super) fn end(&self, sign_in: SignIn, now: Instant) {
        let mut ended = self.ended();
        ended.retain(|_, until| *until > now);
        ended.insert(sign_in.id, now + IDLE_TIMEOUT + RENEWAL_AGE);
        drop(ended);
        self.sign_outs.send_replace(());
    }

    /// Returns a receiver that is notified of each sign-out.
    pub(super) fn sign_outs(&self) -> watch::Receiver<()> {
        self.sign_outs.subscribe()
    }

    /// Returns the `Set-Cookie` value that gives the cookie to the browser.
    pub(super) fn write(&self, sign_in: SignIn, headers: &HeaderMap) -> Option<HeaderValue> {
        let SignIn { id, method, started, renewed } = sign_in;
        let value = format!("{}.{}.{started}.{renewed}", id.simple(), method.as_str());
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key).add(cookie(headers, value));
        let signed = jar.get(name(headers))?;
        HeaderValue::try_from(signed.to_string()).ok()
    }

    fn verify(&self, name: &'static str, value: &str) -> Option<SignIn> {
        let verified = CookieJar::new().signed(&self.key).verify(Cookie::new(name, value.to_owned()))?;
        let mut parts = verified.value().split('.');
        let id = parts.next()?.parse().ok()?;
        let method = parts.next()?;
        let methods = [AuthMethod::Password, AuthMethod::Link];
        let method = methods.into_iter().find(|known| known.as_str() == method)?;
        Some(SignIn { id, method, started: parts.next()?.parse().ok()?, renewed: parts.next()?.parse().ok()? })
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs()
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.ended.lock()
    }
}

/// Returns the `Set-Cookie` value that removes the cookie from the browser.
pub(super) fn clear(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut cookie = cookie(headers, String::new());
    cookie.make_removal();
    HeaderValue::try_from(cookie.to_string()).ok()
}

/// Returns the cookie's name. A secure request ignores the plain name: anybody on a plain network could have set it.
fn name(headers: &HeaderMap) -> &'static str {
    if http_support::forwarded::is_secure(headers) { SECURE_NAME } else { PLAIN_NAME }
}

/// Builds the cookie. `Lax`, so that an operator who follows a link to the dashboard from a chat stays signed in. Requests
/// that change something also have to come from this origin.
fn cookie(headers: &HeaderMap, value: String) -> Cookie<'static> {
    Cookie::build((name(headers), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(http_support::forwarded::is_secure(headers))
        .build()
}

#[cfg(test)]
mod tests;
