//! How many sessions one client address may start a minute (`NEWCOMERS_PER_MINUTE`).
//!
//! Without a limit one client can start sessions as fast as the pod answers, until the pod is full for everybody. Users with a session are
//! never counted.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tracing::warn;

/// The addresses that are counted at one time. Beyond them newcomers are admitted uncounted: somebody who has so many networks must not be
/// able to shut everybody else out, and `MAX_SESSIONS` still bounds the pod.
const MAX_ADDRESSES: usize = 1_000_000;

/// Counts the newcomers of each address.
pub(crate) struct NewcomerLimit {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    per_minute: NonZeroU32,
    refused: AtomicU64,
    /// How many of them the log has named.
    logged: AtomicU64,
}

impl NewcomerLimit {
    /// Lets each address start this many sessions at once, and as many again within each minute.
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(per_minute));
        let (refused, logged) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { limiter, clock: DefaultClock::default(), per_minute, refused, logged }
    }

    /// Counts a newcomer.
    ///
    /// # Errors
    /// The time after which the next one is admitted, where this one is not.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() >= MAX_ADDRESSES {
            return Ok(());
        }
        self.limiter.check_key(&counted_as(address)).map_err(|refused| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            refused.wait_time_from(self.clock.now())
        })
    }

    /// The newcomers that were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Forgets addresses whose newcomers are all admitted again, and logs how many were refused since the last time.
    pub(crate) fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        let refused = self.refused();
        let before = self.logged.swap(refused, Ordering::Relaxed);
        if refused > before {
            warn!(
                newcomers.refused = refused - before,
                addresses = self.limiter.len(),
                "newcomers of one address exceed NEWCOMERS_PER_MINUTE={}: answered with 429. Where they are users behind one proxy, \
                 name it in TRUSTED_PROXIES; where they share an address, raise the limit",
                self.per_minute
            );
        }
    }
}

/// The address under which a client counts: a network of 64 bits for IPv6, since each client has one of its own.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(per_minute: u32) -> NewcomerLimit {
        NewcomerLimit::new(NonZeroU32::new(per_minute).unwrap())
    }

    fn admits(limit: &NewcomerLimit, address: &str) -> bool {
        limit.admit(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn each_address_has_a_limit_of_its_own() {
        let limit = limit(2);
        for address in ["10.0.0.1", "::ffff:10.0.0.2", "2001:db8::1"] {
            assert!(admits(&limit, address) && admits(&limit, address) && !admits(&limit, address), "{address}");
        }
        assert!(!admits(&limit, "10.0.0.2"), "the same address as an IPv4-mapped one");
        assert!(!admits(&limit, "2001:db8::ffff:1"), "the same network");
        assert!(admits(&limit, "2001:db8:0:1::1"), "another network");
        assert_eq!(limit.refused(), 5);
    }

    #[test]
    fn the_wait_is_the_time_to_the_next_admission() {
        let limit = limit(6);
        let address = "10.0.0.1".parse().unwrap();
        let wait = (0..7).map(|_| limit.admit(address)).find_map(Result::err).unwrap();
        assert!(wait <= Duration::from_secs(10) && wait > Duration::from_secs(5), "{wait:?}");
    }

    #[test]
    fn addresses_are_kept_while_their_newcomers_count() {
        let limit = limit(1);
        assert!(admits(&limit, "10.0.0.1"));
        limit.tidy();
        assert!(!admits(&limit, "10.0.0.1"));
        assert_eq!(limit.limiter.len(), 1);
    }
}
