//! The name of the session cookie, which an operator may choose.

use std::sync::Arc;

use thiserror::Error;

/// The longest name, in bytes.
const MAX_BYTES: usize = 100;

/// The name of the session cookie, without the prefix `__Host-` or `__Secure-` that a secure one gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(Arc<str>);

/// A text that cannot be the name of a cookie.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "is not a valid cookie name: use 1 to {MAX_BYTES} letters, digits, `-`, `_` or `.`, without the prefix `__Host-` or `__Secure-`"
)]
pub struct InvalidCookieName;

impl Default for CookieName {
    fn default() -> Self {
        Self("session".into())
    }
}

impl CookieName {
    /// Takes a name.
    ///
    /// # Errors
    /// Where it is empty, longer than 100 bytes, has other characters than letters, digits, `-`, `_` and `.`, or begins with a
    /// prefix that browsers treat specially.
    pub fn new(name: &str) -> Result<Self, InvalidCookieName> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let lower = name.to_ascii_lowercase();
        let has_prefix =
            ["__host-", "__secure-", "__http-", "__host-http-"].iter().any(|prefix| lower.starts_with(prefix));
        if name.is_empty() || name.len() > MAX_BYTES || has_prefix || !name.bytes().all(is_valid) {
            return Err(InvalidCookieName);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_has_a_name_that_every_browser_takes_and_no_prefix_of_its_own() {
        for name in ["session", "app_session", "a", "A.b-1"] {
            assert_eq!(CookieName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "a b", "a=b", "a;b", "ü", "__Host-x", "__secure-x", "__HOST-http-x", &"a".repeat(101)] {
            assert_eq!(CookieName::new(name), Err(InvalidCookieName), "{name}");
        }
    }
}
