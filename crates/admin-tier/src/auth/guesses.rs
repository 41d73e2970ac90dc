//! A slow-down for guessing: each wrong guess costs time, which passes by itself.
//!
//! A caller has some wrong guesses free, then one a second: who comes sooner waits their turn, and where too many wait
//! already, is sent away unheard. So the right token gets through from a caller's address while somebody else guesses there,
//! unless they guess so fast that nobody's turn comes: then it is tried again. All callers together have a limit, too; only those who have guessed wrong feel it, so that nobody is kept out
//! by what strangers do. Memory is bounded: callers whose time has passed are forgotten.

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

/// Nobody waits longer than this for their turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Callers that are remembered.
const MOST_CALLERS: usize = 4_096;

/// When a guess may be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once.
    Now,
    /// After this time. The turn is taken and paid.
    After(Duration),
    /// Not at all; after this time there may be room.
    Never(Duration),
}

/// Who owes how much time.
#[derive(Debug)]
pub(super) struct Guesses(Mutex<Debts>);

#[derive(Debug)]
struct Debts {
    /// When each caller will owe nothing any more.
    callers: HashMap<IpAddr, Instant>,
    together: Instant,
}

impl Guesses {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Debts { callers: HashMap::new(), together: now }))
    }

    /// When the caller may guess.
    pub(super) fn turn(&self, caller: IpAddr, now: Instant) -> Turn {
        let mut debts = self.lock();
        let Some(paid) = debts.callers.get(&household(caller)).copied().filter(|paid| *paid > now) else {
            return Turn::Now;
        };
        let wait = CALLER.wait(paid, now).max(TOGETHER.wait(debts.together, now));
        if wait.is_zero() {
            Turn::Now
        } else if wait > PATIENCE {
            Turn::Never(wait)
        } else {
            debts.charge(caller, now);
            Turn::After(wait)
        }
    }

    /// The guess that was heard at once was wrong.
    pub(super) fn was_wrong(&self, caller: IpAddr, now: Instant) {
        self.lock().charge(caller, now);
    }

    /// The guess whose turn was paid was right.
    pub(super) fn was_right(&self, caller: IpAddr) {
        let mut debts = self.lock();
        debts.together = debts.together.checked_sub(TOGETHER.each).unwrap_or(debts.together);
        if let Some(paid) = debts.callers.get_mut(&household(caller)) {
            *paid = paid.checked_sub(CALLER.each).unwrap_or(*paid);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Debts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Price {
    fn wait(self, paid: Instant, now: Instant) -> Duration {
        paid.saturating_duration_since(now).saturating_sub(self.free - self.each)
    }
}

impl Debts {
    fn charge(&mut self, caller: IpAddr, now: Instant) {
        self.together = self.together.max(now) + TOGETHER.each;
        let caller = household(caller);
        if self.callers.len() >= MOST_CALLERS && !self.callers.contains_key(&caller) {
            self.forget(now);
        }
        let paid = self.callers.entry(caller).or_insert(now);
        *paid = (*paid).max(now) + CALLER.each;
    }

    /// Forgets who owes nothing, and where everybody owes something, who owes least.
    fn forget(&mut self, now: Instant) {
        self.callers.retain(|_, paid| *paid > now);
        if self.callers.len() >= MOST_CALLERS
            && let Some((&least, _)) = self.callers.iter().min_by_key(|(_, paid)| **paid)
        {
            self.callers.remove(&least);
        }
    }
}

/// Whoever has one IPv6 address has the 2^64 beside it, too.
fn household(caller: IpAddr) -> IpAddr {
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

    /// Guesses wrong, and gives the turn.
    fn guess(guesses: &Guesses, caller: IpAddr, now: Instant) -> Turn {
        let turn = guesses.turn(caller, now);
        if turn == Turn::Now {
            guesses.was_wrong(caller, now);
        }
        turn
    }

    #[test]
    fn some_guesses_are_free_then_each_waits_longer_until_nobody_is_heard() {
        let start = Instant::now();
        let guesses = Guesses::new(start);
        let turns: Vec<_> = (0..12).map(|_| guess(&guesses, address(1), start)).collect();
        assert_eq!(turns[..5], [Turn::Now; 5]);
        assert_eq!(turns[5..10], [1, 2, 3, 4, 5].map(|n| Turn::After(SECOND * n)));
        assert_eq!(turns[10..], [Turn::Never(SECOND * 6); 2], "who is not heard pays nothing");
        assert_eq!(guess(&guesses, address(1), start + SECOND), Turn::After(SECOND * 5));
        assert_eq!(guess(&guesses, address(1), start + SECOND * 60), Turn::Now, "all is forgotten");
    }

    #[test]
    fn somebody_elses_right_token_is_heard_at_once_whatever_guessers_do() {
        let start = Instant::now();
        let guesses = Guesses::new(start);
        for caller in 0..500 {
            for _ in 0..20 {
                guess(&guesses, address(caller), start);
            }
        }
        assert_eq!(guesses.turn(address(1_000), start), Turn::Now);
        assert!(matches!(guess(&guesses, address(1_001), start), Turn::Now));
        assert!(matches!(guesses.turn(address(1_001), start), Turn::Never(_)), "all together have a limit");
    }

    #[test]
    fn a_right_token_costs_nothing_even_where_it_had_to_wait() {
        let start = Instant::now();
        let guesses = Guesses::new(start);
        for _ in 0..5 {
            guess(&guesses, address(1), start);
        }
        for _ in 0..100 {
            assert_eq!(guesses.turn(address(1), start), Turn::After(SECOND));
            guesses.was_right(address(1));
        }
    }

    #[test]
    fn a_household_of_ipv6_is_one_caller_and_wrapped_ipv4_is_itself() {
        let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert_eq!(household(a), household(b));
        assert_ne!(household(a), household(c));
        assert_eq!(household("::ffff:10.0.0.1".parse().unwrap()), household("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn memory_is_bounded_however_many_guess() {
        let start = Instant::now();
        let guesses = Guesses::new(start);
        for caller in 0..10_000 {
            guess(&guesses, address(caller), start);
        }
        assert!(guesses.lock().callers.len() <= MOST_CALLERS);
        guess(&guesses, address(20_000), start + SECOND * 60);
        assert_eq!(guesses.lock().callers.len(), 1);
    }
}
