//! The cookie of who has signed in: signed, short-lived, renewed while it is used, and over for good after sign-out.
//!
//! The key is this process's own, and so is the clock: a cookie ends with the process at the latest. Its name is not
//! `session`: cookies ignore the port, and the user tier may be on the same host.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cookie::{Cookie, CookieJar, Key, SameSite};
use http::header::{HeaderMap, HeaderValue};
use tokio::sync::watch;
use uuid::Uuid;

use super::How;

/// A cookie that is not used for so long is no good any more.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// After so long one has to sign in again, however busy.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// A cookie is renewed when it is so old, not with every request.
const RENEWED_EVERY: Duration = Duration::from_secs(60);

const PLAIN: &str = "lastcall-admin";
const SECURE: &str = "__Host-lastcall-admin";

/// Somebody's sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    id: Uuid,
    pub(super) how: How,
    /// When it began and when it was last renewed, in seconds of this process.
    began: u64,
    renewed: u64,
}

/// What signs the tickets, and which of them have ended before their time.
pub(super) struct Tickets {
    key: Key,
    start: Instant,
    /// Each until no cookie of it can be good any more. Only who had signed in can add to it.
    ended: Mutex<HashMap<Uuid, Instant>>,
    /// Tells open streams that a sign-in has ended.
    sign_outs: watch::Sender<()>,
}

impl std::fmt::Debug for Tickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

impl Tickets {
    pub(super) fn new(start: Instant) -> Self {
        Self { key: Key::generate(), start, ended: Mutex::default(), sign_outs: watch::Sender::new(()) }
    }

    /// A new sign-in.
    pub(super) fn issue(&self, how: How, now: Instant) -> Ticket {
        let seconds = self.seconds(now);
        Ticket { id: Uuid::new_v4(), how, began: seconds, renewed: seconds }
    }

    /// The sign-in that a request comes with, if it is good.
    pub(super) fn read(&self, headers: &HeaderMap, now: Instant) -> Option<Ticket> {
        let name = name(headers);
        let ticket = http_support::cookies::values(headers, name).find_map(|value| self.verify(name, value))?;
        let seconds = self.seconds(now);
        let is_fresh = seconds < ticket.renewed + IDLE.as_secs();
        (is_fresh && !self.is_over(ticket, now)).then_some(ticket)
    }

    /// Whether a sign-in is over, however much it is used: signed out, or too old.
    pub(super) fn is_over(&self, ticket: Ticket, now: Instant) -> bool {
        self.seconds(now) >= ticket.began + LONGEST.as_secs() || self.ended().contains_key(&ticket.id)
    }

    /// The same sign-in for longer, where it is time for that.
    pub(super) fn renew(&self, ticket: Ticket, now: Instant) -> Option<Ticket> {
        let seconds = self.seconds(now);
        (seconds >= ticket.renewed + RENEWED_EVERY.as_secs()).then_some(Ticket { renewed: seconds, ..ticket })
    }

    /// Ends a sign-in: no cookie of it is good any more, whoever has kept one.
    pub(super) fn end(&self, ticket: Ticket, now: Instant) {
        let mut ended = self.ended();
        ended.retain(|_, until| *until > now);
        ended.insert(ticket.id, now + IDLE + RENEWED_EVERY);
        drop(ended);
        self.sign_outs.send_replace(());
    }

    /// Hears whenever a sign-in has ended.
    pub(super) fn sign_outs(&self) -> watch::Receiver<()> {
        self.sign_outs.subscribe()
    }

    /// The `Set-Cookie` value that gives the browser its ticket.
    pub(super) fn write(&self, ticket: Ticket, headers: &HeaderMap) -> Option<HeaderValue> {
        let value = format!("{}.{}.{}.{}", ticket.id.simple(), ticket.how.as_str(), ticket.began, ticket.renewed);
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key).add(cookie(headers, value));
        let signed = jar.get(name(headers))?;
        HeaderValue::try_from(signed.to_string()).ok()
    }

    fn verify(&self, name: &'static str, value: &str) -> Option<Ticket> {
        let verified = CookieJar::new().signed(&self.key).verify(Cookie::new(name, value.to_owned()))?;
        let mut parts = verified.value().split('.');
        let id = parts.next()?.parse().ok()?;
        let how = parts.next()?;
        let how = [How::Password, How::Link].into_iter().find(|known| known.as_str() == how)?;
        Some(Ticket { id, how, began: parts.next()?.parse().ok()?, renewed: parts.next()?.parse().ok()? })
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs()
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `Set-Cookie` value that takes the ticket from the browser.
pub(super) fn clear(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut cookie = cookie(headers, String::new());
    cookie.make_removal();
    HeaderValue::try_from(cookie.to_string()).ok()
}

/// A secure request ignores the plain name: anybody on the plain network could have planted it.
fn name(headers: &HeaderMap) -> &'static str {
    if http_support::forwarded::is_secure(headers) { SECURE } else { PLAIN }
}

/// `Lax`: who follows a link to the dashboard from a chat or a ticket is signed in still. What changes something needs
/// proof of its own that it comes from here.
fn cookie(headers: &HeaderMap, value: String) -> Cookie<'static> {
    Cookie::build((name(headers), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(http_support::forwarded::is_secure(headers))
        .build()
}

#[cfg(test)]
mod tests {
    use http::header::{COOKIE, HeaderName};

    use super::*;

    fn presenting(tickets: &Tickets, ticket: Ticket) -> HeaderMap {
        let set = tickets.write(ticket, &HeaderMap::new()).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        [(COOKIE, HeaderValue::from_str(pair).unwrap())].into_iter().collect()
    }

    #[test]
    fn a_cookie_is_good_while_it_is_used_but_not_for_ever() {
        let start = Instant::now();
        let tickets = Tickets::new(start);
        let mut ticket = tickets.issue(How::Password, start);
        let idle = presenting(&tickets, ticket);
        assert_eq!(tickets.read(&idle, start), Some(ticket));
        assert_eq!(tickets.read(&idle, start + IDLE), None);
        assert_eq!(tickets.renew(ticket, start + RENEWED_EVERY - Duration::from_secs(1)), None);
        let mut now = start;
        while now < start + LONGEST {
            assert_eq!(tickets.read(&presenting(&tickets, ticket), now), Some(ticket), "at {:?}", now - start);
            now += IDLE / 2;
            ticket = tickets.renew(ticket, now).unwrap();
        }
        assert_eq!(tickets.read(&presenting(&tickets, ticket), now), None);
    }

    #[test]
    fn after_sign_out_no_cookie_of_it_is_good_and_the_list_empties_itself() {
        let start = Instant::now();
        let tickets = Tickets::new(start);
        let (mine, other) = (tickets.issue(How::Link, start), tickets.issue(How::Link, start));
        let later = start + RENEWED_EVERY;
        let renewed = tickets.renew(mine, later).unwrap();
        tickets.end(mine, later);
        for ended in [mine, renewed] {
            assert_eq!(tickets.read(&presenting(&tickets, ended), later), None);
        }
        assert_eq!(tickets.read(&presenting(&tickets, other), later), Some(other));
        tickets.end(other, later + IDLE * 2);
        assert_eq!(tickets.ended().len(), 1);
    }

    #[test]
    fn what_is_forged_or_another_processs_is_nobody() {
        let start = Instant::now();
        let (tickets, others) = (Tickets::new(start), Tickets::new(start));
        let ticket = tickets.issue(How::Password, start);
        assert_eq!(others.read(&presenting(&tickets, ticket), start), None);
        let good = presenting(&tickets, ticket)[COOKIE].to_str().unwrap().to_owned();
        let other_name = good.replace(PLAIN, "session");
        for bad in [&good[..good.len() - 2], &other_name, "lastcall-admin=", "lastcall-admin=x.password.0.0"] {
            let headers = [(COOKIE, HeaderValue::from_str(bad).unwrap())].into_iter().collect();
            assert_eq!(tickets.read(&headers, start), None, "{bad}");
        }
        let planted = HeaderValue::from_str(&format!("lastcall-admin=planted; {good}")).unwrap();
        assert_eq!(tickets.read(&[(COOKIE, planted)].into_iter().collect(), start), Some(ticket));
    }

    #[test]
    fn the_cookie_is_out_of_reach_for_scripts_and_carries_its_prefix_where_secure() {
        let tickets = Tickets::new(Instant::now());
        let ticket = tickets.issue(How::Password, Instant::now());
        let https = [(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"))];
        let https: HeaderMap = https.into_iter().collect();
        for (headers, prefix) in [(&HeaderMap::new(), "lastcall-admin="), (&https, "__Host-lastcall-admin=")] {
            for set in [tickets.write(ticket, headers).unwrap(), clear(headers).unwrap()] {
                let set = set.to_str().unwrap();
                assert!(set.starts_with(prefix) && set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
                assert!(set.contains("Path=/") && set.contains("Secure") == prefix.starts_with("__Host"), "{set}");
            }
        }
        let mut mixed = presenting(&tickets, ticket);
        mixed.extend(https);
        assert_eq!(tickets.read(&mixed, Instant::now()), None, "a secure request ignores the plain name");
    }
}
