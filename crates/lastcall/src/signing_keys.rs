//! The keys that sign and verify the session cookie.

use cookie::{Cookie, CookieJar, Key};
use session_domain::SessionId;
use thiserror::Error;

/// The shortest secret that may sign.
pub const MIN_SECRET_BYTES: usize = 32;

/// What signs the cookies: the first key signs, every key verifies.
#[derive(Clone)]
pub struct SigningKeys {
    keys: Vec<Key>,
    /// Whether no other process can have them.
    are_random: bool,
}

/// A secret that is no good for signing.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WeakSecret {
    /// There is none.
    #[error("no secret is given")]
    None,
    /// One is too short.
    #[error("a secret of {0} bytes is too short: at least {MIN_SECRET_BYTES} are needed")]
    TooShort(usize),
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKeys({} keys)", self.keys.len())
    }
}

impl SigningKeys {
    /// One key that nobody else has: the cookies end with the process.
    pub fn random() -> Self {
        Self { keys: vec![Key::generate()], are_random: true }
    }

    /// Keys made of secrets: the first signs, all verify.
    ///
    /// # Errors
    /// Where there is no secret, or one has less than [`MIN_SECRET_BYTES`].
    pub fn from_secrets<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, WeakSecret> {
        let mut keys = Vec::new();
        for secret in secrets {
            if secret.len() < MIN_SECRET_BYTES {
                return Err(WeakSecret::TooShort(secret.len()));
            }
            keys.push(Key::derive_from(secret));
        }
        if keys.is_empty() { Err(WeakSecret::None) } else { Ok(Self { keys, are_random: false }) }
    }

    /// Whether they are those of [`random`](Self::random): other pods cannot verify the cookies.
    pub(crate) const fn are_random(&self) -> bool {
        self.are_random
    }

    /// The session id in a cookie value that one of the keys has signed.
    pub(crate) fn verify(&self, value: &str) -> Option<SessionId> {
        let jar = CookieJar::new();
        self.keys.iter().find_map(|key| {
            // The signature is one of the value: the name does not matter.
            let verified = jar.signed(key).verify(Cookie::new("session", value.to_owned()))?;
            verified.value().parse().ok()
        })
    }

    /// Signs a cookie with the first key.
    pub(crate) fn sign(&self, cookie: Cookie<'static>) -> Option<Cookie<'static>> {
        let name = cookie.name().to_owned();
        let mut jar = CookieJar::new();
        jar.signed_mut(self.keys.first()?).add(cookie);
        jar.get(&name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_are_refused() {
        assert_eq!(SigningKeys::from_secrets([b"short".as_slice()]).err(), Some(WeakSecret::TooShort(5)));
        assert_eq!(SigningKeys::from_secrets([]).err(), Some(WeakSecret::None));
    }
}
