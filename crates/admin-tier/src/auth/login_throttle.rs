//! A slow-down for guessing: who presents a wrong token or link too often is told to wait.
//!
//! It is asked about wrong ones only. What is presented is compared first, in constant time, and a right token passes at
//! once, however many guess behind the same address: operators and guessers may share one. So what bounds guessing is not
//! this, but how many tokens there are: a link has 244 random bits, and `ADMIN_TOKEN` is warned about where it is short.
//! What this adds: a guesser is told so (429) and loses the connection with each guess beyond the free ones, and the log
//! names some guesses a second, never all of them. Nobody waits here, so that nobody can hold anything by guessing.
//!
//! A caller has some wrong guesses free, then one a second. All callers together have a limit, too; only those who have
//! guessed wrong before feel it. Memory is bounded: callers whose time has passed are forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What guesses of one kind cost.
#[derive(Clone, Copy, Debug)]
struct Price {
    /// What a wrong guess costs.
    each: Duration,
    /// What one may owe before one has to wait.
    free: Duration,
}

const CALLER: Price = Price { each: Duration::from_secs(1), free: Duration::from_secs(5) };
const TOGETHER: Price = Price { each: Duration::from_millis(50), free: Duration::from_secs(5) };

/// Nobody is told to wait longer than this, however much was guessed.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Callers that are remembered.
const MAX_CALLERS: usize = 4_096;

/// How a wrong guess is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongGuess {
    /// The answer says that it was wrong.
    PodEvent,
    /// There were too many: try again after this time.
    TooMany(Duration),
}

/// Who owes how much time.
#[derive(Debug)]
pub(super) struct LoginThrottle(Mutex<Debts>);

#[derive(Debug)]
struct Debts {
    /// When each caller will owe nothing any more.
    callers: HashMap<IpAddr, Instant>,
    together: Instant,
}

impl LoginThrottle {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Debts { callers: HashMap::new(), together: now }))
    }

    /// A caller has guessed wrong: how they are answered.
    pub(super) fn wrong(&self, caller: IpAddr, now: Instant) -> WrongGuess {
        let caller = client_prefix(caller);
        let mut debts = self.lock();
        let owed = debts.callers.get(&caller).copied().filter(|paid| *paid > now);
        let together = debts.together;
        debts.charge(caller, now);
        let Some(paid) = owed else { return WrongGuess::PodEvent };
        let wait = CALLER.wait(paid, now).max(TOGETHER.wait(together, now));
        if wait.is_zero() { WrongGuess::PodEvent } else { WrongGuess::TooMany(wait) }
    }

    /// What is behind the lock is valid after any panic: every change of it is a plain assignment.
    fn lock(&self) -> MutexGuard<'_, Debts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Price {
    fn wait(self, paid: Instant, now: Instant) -> Duration {
        paid.saturating_duration_since(now).saturating_sub(self.free - self.each)
    }

    /// Another guess is paid for; nobody owes more than the longest wait.
    fn charge(self, paid: Instant, now: Instant) -> Instant {
        (paid.max(now) + self.each).min(now + self.free - self.each + LONGEST_WAIT)
    }
}

impl Debts {
    fn charge(&mut self, caller: IpAddr, now: Instant) {
        self.together = TOGETHER.charge(self.together, now);
        if self.callers.len() >= MAX_CALLERS && !self.callers.contains_key(&caller) {
            self.forget(now);
        }
        let paid = self.callers.entry(caller).or_insert(now);
        *paid = CALLER.charge(*paid, now);
    }

    /// Forgets who owes nothing, and where everybody owes something, who owes least.
    fn forget(&mut self, now: Instant) {
        self.callers.retain(|_, paid| *paid > now);
        if self.callers.len() >= MAX_CALLERS
            && let Some((&least, _)) = self.callers.iter().min_by_key(|(_, paid)| **paid)
        {
            self.callers.remove(&least);
        }
    }
}

/// A client with one IPv6 address has the 2^64 beside it, too.
fn client_prefix(caller: IpAddr) -> IpAddr {
    match caller.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn some_guesses_are_free_then_one_a_second_and_nobody_owes_more_than_some_seconds() {
        let start = Instant::now();
        let throttle = LoginThrottle::new(start);
        let answers: Vec<_> = (0..100).map(|_| throttle.wrong(address(1), start)).collect();
        assert_eq!(answers[..5], [WrongGuess::PodEvent; 5]);
        assert_eq!(answers[5..10], [1, 2, 3, 4, 5].map(|n| WrongGuess::TooMany(SECOND * n)));
        assert_eq!(answers[10..], [WrongGuess::TooMany(LONGEST_WAIT); 90]);
        assert_eq!(throttle.wrong(address(1), start + SECOND * 5), WrongGuess::PodEvent);
        assert_eq!(throttle.wrong(address(1), start + SECOND * 5), WrongGuess::TooMany(SECOND));
        assert_eq!(throttle.wrong(address(1), start + SECOND * 60), WrongGuess::PodEvent, "all is forgotten");
    }

    #[test]
    fn who_guesses_on_is_heard_once_a_second_at_most() {
        let start = Instant::now();
        let throttle = LoginThrottle::new(start);
        let heard = (0..600_u32)
            .filter(|tenth| throttle.wrong(address(1), start + SECOND * *tenth / 10) == WrongGuess::PodEvent)
            .count();
        assert!(heard <= 5 + 60, "{heard}");
    }

    #[test]
    fn all_callers_together_have_a_limit_that_only_those_feel_who_have_guessed_before() {
        let start = Instant::now();
        let throttle = LoginThrottle::new(start);
        for caller in 0..500 {
            throttle.wrong(address(caller), start);
        }
        assert_eq!(throttle.wrong(address(1_000), start), WrongGuess::PodEvent);
        assert!(matches!(throttle.wrong(address(1_000), start), WrongGuess::TooMany(_)));
    }

    #[test]
    fn a_household_of_ipv6_is_one_caller_and_wrapped_ipv4_is_itself() {
        let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert_eq!(client_prefix(a), client_prefix(b));
        assert_ne!(client_prefix(a), client_prefix(c));
        assert_eq!(client_prefix("::ffff:10.0.0.1".parse().unwrap()), client_prefix("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn memory_is_bounded_however_many_guess() {
        let start = Instant::now();
        let throttle = LoginThrottle::new(start);
        for caller in 0..10_000 {
            throttle.wrong(address(caller), start);
        }
        assert!(throttle.lock().callers.len() <= MAX_CALLERS);
        throttle.wrong(address(20_000), start + SECOND * 60);
        assert_eq!(throttle.lock().callers.len(), 1);
    }
}
