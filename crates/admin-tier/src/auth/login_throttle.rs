//! Throttles wrong guesses of tokens and links.
//!
//! Only wrong guesses are counted. Credentials are compared first, in constant time, and right ones are accepted at once,
//! however many wrong guesses came from the same address: operators and attackers may share one. What makes guessing
//! hopeless is therefore the number of possible secrets, not this throttle: a link has 244 random bits, and a short
//! `ADMIN_TOKEN` is warned about. The throttle adds that a guesser is asked to wait (429) and loses the connection with
//! each throttled guess, and that the log records some guesses a second, never all of them. No request is delayed here,
//! so guesses cannot tie up the tier.
//!
//! Each client has a burst of wrong guesses, then one a second. All clients together have a limit, too; it affects only
//! clients that have guessed wrong before. Memory is bounded: clients are removed once they are back within their limit.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

/// A limit on guesses, in the manner of a leaky bucket: each guess adds `cost`, which drains with time.
#[derive(Clone, Copy, Debug)]
struct RateLimit {
    /// The time that a wrong guess adds.
    cost: Duration,
    /// The time that may add up before the client has to wait.
    burst: Duration,
}

const CLIENT_LIMIT: RateLimit = RateLimit { cost: Duration::from_secs(1), burst: Duration::from_secs(5) };
const OVERALL_LIMIT: RateLimit = RateLimit { cost: Duration::from_millis(50), burst: Duration::from_secs(5) };

/// The longest time that a client is asked to wait, regardless of the number of its guesses.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// How many clients are remembered.
const MAX_CLIENTS: usize = 4_096;

/// How a wrong guess is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongGuess {
    /// Within the limit: the answer says that the guess was wrong.
    Allowed,
    /// Above the limit: the client may try again after this time.
    TooMany(Duration),
}

/// Counts wrong guesses by client.
#[derive(Debug)]
pub(super) struct LoginThrottle(Mutex<WrongGuesses>);

#[derive(Debug)]
struct WrongGuesses {
    /// The time when each client's guesses will have drained.
    clients: HashMap<IpAddr, Instant>,
    /// The same for all clients together.
    overall: Instant,
}

impl LoginThrottle {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(WrongGuesses { clients: HashMap::new(), overall: now }))
    }

    /// Counts a client's wrong guess and decides how it is answered.
    pub(super) fn record_wrong_guess(&self, address: IpAddr, now: Instant) -> WrongGuess {
        let client = client_prefix(address);
        let mut guesses = self.lock();
        let drained_at = guesses.clients.get(&client).copied().filter(|drained_at| *drained_at > now);
        let overall = guesses.overall;
        guesses.add(client, now);
        let Some(drained_at) = drained_at else { return WrongGuess::Allowed };
        let wait = CLIENT_LIMIT.wait(drained_at, now).max(OVERALL_LIMIT.wait(overall, now));
        if wait.is_zero() { WrongGuess::Allowed } else { WrongGuess::TooMany(wait) }
    }

    /// A poisoned lock is safe to reuse: every change behind it is a single assignment.
    fn lock(&self) -> MutexGuard<'_, WrongGuesses> {
        self.0.lock()
    }
}

impl RateLimit {
    /// Returns the time until another guess is within the limit.
    fn wait(self, drained_at: Instant, now: Instant) -> Duration {
        drained_at.saturating_duration_since(now).saturating_sub(self.burst - self.cost)
    }

    /// Adds a guess, up to the longest wait.
    fn add(self, drained_at: Instant, now: Instant) -> Instant {
        (drained_at.max(now) + self.cost).min(now + self.burst - self.cost + MAX_WAIT)
    }
}

impl WrongGuesses {
    fn add(&mut self, client: IpAddr, now: Instant) {
        self.overall = OVERALL_LIMIT.add(self.overall, now);
        if self.clients.len() >= MAX_CLIENTS && !self.clients.contains_key(&client) {
            self.make_room(now);
        }
        let drained_at = self.clients.entry(client).or_insert(now);
        *drained_at = CLIENT_LIMIT.add(*drained_at, now);
    }

    /// Removes the clients whose guesses have drained; where none has, the client whose guesses will have drained first.
    fn make_room(&mut self, now: Instant) {
        self.clients.retain(|_, drained_at| *drained_at > now);
        if self.clients.len() >= MAX_CLIENTS
            && let Some((&first, _)) = self.clients.iter().min_by_key(|(_, drained_at)| **drained_at)
        {
            self.clients.remove(&first);
        }
    }
}

/// Returns what a client is counted by: its IPv4 address, or the /64 network of its IPv6 address, all of which it can use.
fn client_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests;
