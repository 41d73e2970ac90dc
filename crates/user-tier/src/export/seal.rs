//! The work of an export: a chain of SHA-256 digests over the text, which anyone can compute again.
//!
//! It is computed in slices with pauses between them, so that an export takes a while and slows no other user down.

use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Digests that are computed in one go.
const SLICE: u32 = 200;

/// The pause after each slice: 4,000 digests a second.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// How many digests the chain has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Rounds {
    /// 5 s.
    #[serde(rename = "20000")]
    Few,
    /// 15 s.
    #[serde(rename = "60000")]
    Many,
    /// 50 s.
    #[serde(rename = "200000")]
    Most,
}

impl Rounds {
    /// All choices.
    pub(crate) const ALL: [Self; 3] = [Self::Few, Self::Many, Self::Most];

    /// The number.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Few => 20_000,
            Self::Many => 60_000,
            Self::Most => 200_000,
        }
    }

    /// About how long it takes, in seconds.
    pub(crate) const fn seconds(self) -> u32 {
        self.number() / SLICE / 20
    }
}

/// A chain that is being computed.
#[derive(Clone, Debug)]
pub(super) struct Seal {
    digest: [u8; 32],
    done: u32,
    rounds: u32,
}

impl Seal {
    /// Begins with the digest of `text`.
    pub(super) fn new(text: &[u8], rounds: Rounds) -> Self {
        Self { digest: Sha256::digest(text).into(), done: 1, rounds: rounds.number() }
    }

    /// Computes the next slice. Returns whether the chain is complete.
    pub(super) fn advance(&mut self) -> bool {
        for _ in 0..SLICE.min(self.rounds - self.done) {
            self.digest = Sha256::digest(self.digest).into();
            self.done += 1;
        }
        self.done == self.rounds
    }

    /// How much is done, from 0 to 1.
    pub(super) fn progress(&self) -> f64 {
        f64::from(self.done) / f64::from(self.rounds)
    }

    /// The last digest in hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        self.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_has_as_many_digests_as_it_says() {
        for rounds in Rounds::ALL {
            let mut seal = Seal { rounds: rounds.number() / 100, ..Seal::new(b"notes", rounds) };
            while !seal.advance() {
                assert!(seal.progress() < 1.0);
            }
            let mut digest = Sha256::digest(b"notes");
            for _ in 1..rounds.number() / 100 {
                digest = Sha256::digest(digest);
            }
            assert_eq!(seal.hex(), format!("{digest:x}"));
        }
        assert_eq!(Rounds::ALL.map(Rounds::seconds), [5, 15, 50]);
    }
}
