//! Reading cookies from requests.
//!
//! A request can carry several cookies of one name: a neighbouring site of the same domain can set one that comes before
//! ours. All of them are returned. The crate `cookie` is not used for this: it parses text only, so that one cookie with
//! other bytes (scripts can set any) would hide all the others, and it trims names, so that `session =x` would be read as
//! `session`.

use http::header::{COOKIE, HeaderMap};

/// Iterates over the values of all cookies with this name, in order. Skips values that are not UTF-8.
pub fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            std::str::from_utf8(value.trim_ascii()).ok()
        })
        .map(|value| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn every_cookie_of_the_name_is_returned() {
        let headers = headers(&[b"a=1; b=2; ab=3;a=\"4\"", b"a=5; a", b"=;;"]);
        assert_eq!(values(&headers, "a").collect::<Vec<_>>(), ["1", "4", "5"]);
        assert_eq!(values(&headers, "c").count(), 0);
    }

    #[test]
    fn no_other_cookie_hides_ours() {
        for line in [
            "campaign=Undersøgelse; session=x".as_bytes(),
            b"a=\xc3\xbc; session=x",
            b"session=x; a=\xff\xfe",
            b"\xff=\xff;session=x;\x80",
            b"a=\t; session=x",
            "\u{2000}session=planted; session=x".as_bytes(),
            b"session =planted; session=x",
            b"session=\xff; session=x",
        ] {
            assert_eq!(values(&headers(&[line]), "session").collect::<Vec<_>>(), ["x"], "{line:?}");
        }
    }
}
