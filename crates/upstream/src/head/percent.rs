//! Names of users in header fields: UTF-8, percent-encoded (RFC 3986, 2.1).

use std::fmt::Write as _;

use http::HeaderValue;

/// The longest value of a field that is decoded, in bytes: 64 characters of four bytes, each percent-encoded.
const MAX_BYTES: usize = 64 * 4 * 3;

/// Encodes every byte but unreserved characters.
pub fn encode(name: &str) -> HeaderValue {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Decodes a name. `None`: too long, not percent-encoded, not UTF-8, or with control characters.
pub fn decode(value: &[u8]) -> Option<String> {
    if value.len() > MAX_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let digits = rest.get(..2)?;
                let digit = |at: usize| char::from(digits[at]).to_digit(16);
                bytes.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
                rest = &rest[2..];
            }
            b' '..=b'~' => bytes.push(*first),
            _ => return None,
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (!name.chars().any(char::is_control)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_encoded() {
        for (name, encoded) in [("", ""), ("ada", "ada"), ("Ada Lovelace", "Ada%20Lovelace"), ("Zoë%", "Zo%C3%AB%25")]
        {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(name));
        }
        assert_eq!(decode(b"Ada Lovelace").as_deref(), Some("Ada Lovelace"));
    }

    #[test]
    fn what_is_no_percent_encoded_utf8_is_no_name() {
        for value in
            [&b"%"[..], b"%4", b"%zz", b"%+1", b"%FF", b"Zo\xc3\xab", b"a%0Ab", b"a\tb", &[b'a'; MAX_BYTES + 1]]
        {
            assert_eq!(decode(value), None, "{:?}", String::from_utf8_lossy(value));
        }
    }
}
