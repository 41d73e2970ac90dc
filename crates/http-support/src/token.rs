//! Bearer tokens: how one is presented, and how it is compared without telling how much of it was right.

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A token of fewer bytes than this can be guessed.
const SHORT_BYTES: usize = 16;

/// A token that callers have to know. Shown, it is a row of dots.
#[derive(Clone)]
pub struct Token {
    is_short: bool,
    digest: [u8; 32],
    authorization: HeaderValue,
}

impl Token {
    /// Takes a token; `None` where it cannot stand in a header: empty, surrounded by spaces, or with other than visible
    /// characters of ASCII.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.trim() == text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let mut authorization = fits.then(|| HeaderValue::try_from(format!("Bearer {text}")).ok()).flatten()?;
        authorization.set_sensitive(true);
        Some(Self { is_short: text.len() < SHORT_BYTES, digest: Sha256::digest(text).into(), authorization })
    }

    /// Whether it is so short that guessing it may succeed.
    pub const fn is_short(&self) -> bool {
        self.is_short
    }

    /// Whether this is the token. Takes the same time wherever it differs: what is compared are digests.
    pub fn is(&self, presented: impl AsRef<[u8]>) -> bool {
        self.digest.ct_eq(&Sha256::digest(presented)).into()
    }

    /// The `Authorization` header of whoever presents it.
    pub const fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("•••")
    }
}

/// What a caller presents as `Authorization: Bearer …`, text or not; `None` where there is no such header, or more than one.
pub fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
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
    fn a_token_is_itself_and_nothing_else() {
        let token = Token::new("correct horse").unwrap();
        assert!(token.is("correct horse"));
        for wrong in ["", "correct", "correct hors", "correct horse ", "Correct horse", "correct horse battery"] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_presented_is_read_back() {
        let token = Token::new("tok=en").unwrap();
        let presented: HeaderMap = [(AUTHORIZATION, token.authorization().clone())].into_iter().collect();
        assert!(bearer(&presented).is_some_and(|presented| token.is(presented)));
        assert_eq!(bearer(&headers(&["bearer  x "])), Some(&b"x"[..]));
        let garbled = [(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap())].into_iter().collect();
        assert_eq!(bearer(&garbled), Some(&b"\xff"[..]), "a wrong token, not none");
        for none in [&[][..], &["Basic x"], &["Bearer"], &["x"], &["Bearer x", "Bearer x"]] {
            assert_eq!(bearer(&headers(none)), None, "{none:?}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_token() {
        for bad in ["", " ", " a", "a ", "a\nb", "schlüssel", "a\u{7f}"] {
            assert!(Token::new(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::new("hunter2").unwrap();
        assert_eq!(format!("{token:?}"), "•••");
        assert!(!format!("{:?}", token.authorization()).contains("hunter2"));
    }
}
