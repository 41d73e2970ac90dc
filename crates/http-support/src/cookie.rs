//! Cookies as requests carry them: every one of a name is seen, as a neighbour may have planted another before ours, and none
//! is lost because of its neighbours. `document.cookie` takes any text, which arrives as raw UTF-8.

use http::header::{COOKIE, HeaderMap};

/// The values of all cookies of this name that are text, in their order.
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
    fn every_cookie_of_the_name_is_seen() {
        let headers = headers(&[b"a=1; b=2; ab=3;a=\"4\"", b"a=5; a", b"=;;"]);
        assert_eq!(values(&headers, "a").collect::<Vec<_>>(), ["1", "4", "5"]);
        assert_eq!(values(&headers, "c").count(), 0);
    }

    #[test]
    fn no_neighbour_hides_a_cookie() {
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
