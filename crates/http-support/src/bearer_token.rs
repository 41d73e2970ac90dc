//! Bearer tokens (RFC 6750): reading them from requests, and comparing them in constant time.

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The length, in bytes, below which a token can be guessed.
const MIN_SECURE_BYTES: usize = 16;

/// A secret token that callers present. Its `Debug` output hides the value.
#[derive(Clone)]
pub struct Token {
    is_short: bool,
    digest: [u8; 32],
    authorization: HeaderValue,
}

impl Token {
    /// Creates a token. Returns `None` if the text cannot be sent in a header field: if it is empty, begins or ends with a
    /// space, or has characters other than printable ASCII.
    pub fn new(text: &str) -> Option<Self> {
        let is_sendable =
            !text.is_empty() && text.trim() == text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let mut authorization = is_sendable.then(|| HeaderValue::try_from(format!("Bearer {text}")).ok()).flatten()?;
        authorization.set_sensitive(true);
        Some(Self { is_short: text.len() < MIN_SECURE_BYTES, digest: Sha256::digest(text).into(), authorization })
    }

    /// Whether the token has fewer than 16 bytes, so that it can be guessed.
    pub const fn is_short(&self) -> bool {
        self.is_short
    }

    /// Whether `presented` is this token. Compares digests, so that the time taken does not depend on where they differ.
    pub fn matches(&self, presented: impl AsRef<[u8]>) -> bool {
        self.digest.ct_eq(&Sha256::digest(presented)).into()
    }

    /// The value of the `Authorization` field that presents this token.
    pub const fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("•••")
    }
}

/// Reads the token of `Authorization: Bearer …`, which may be any bytes. Returns `None` without such a field, and with several.
pub fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let value = all.next()?.as_bytes();
    let (scheme, token) = value.split_at(value.iter().position(|byte| *byte == b' ')?);
    (all.next().is_none() && scheme.eq_ignore_ascii_case(b"bearer")).then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_token_matches_only_itself() {
        let token = Token::new("correct horse").unwrap();
        assert!(token.matches("correct horse"));
        for wrong in ["", "correct", "correct hors", "correct horse ", "Correct horse", "correct horse battery"] {
            assert!(!token.matches(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_presented_token_is_read_back() {
        let token = Token::new("tok=en").unwrap();
        let presented: HeaderMap = [(AUTHORIZATION, token.authorization().clone())].into_iter().collect();
        assert!(bearer_token(&presented).is_some_and(|presented| token.matches(presented)));
        assert_eq!(bearer_token(&headers(&["bearer  x "])), Some(&b"x"[..]));
        let garbled = [(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap())].into_iter().collect();
        assert_eq!(bearer_token(&garbled), Some(&b"\xff"[..]), "a wrong token, not an absent one");
        for none in [&[][..], &["Basic x"], &["Bearer"], &["x"], &["Bearer x", "Bearer x"]] {
            assert_eq!(bearer_token(&headers(none)), None, "{none:?}");
        }
    }

    #[test]
    fn text_that_no_header_field_can_carry_is_rejected() {
        for bad in ["", " ", " a", "a ", "a\nb", "schlüssel", "a\u{7f}"] {
            assert!(Token::new(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn debug_output_hides_the_token() {
        let token = Token::new("hunter2").unwrap();
        assert_eq!(format!("{token:?}"), "•••");
        assert!(!format!("{:?}", token.authorization()).contains("hunter2"));
    }
}
