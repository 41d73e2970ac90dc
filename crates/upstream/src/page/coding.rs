//! The content codings that pages come in: their names, and what a request may accept.

pub(super) mod decode;
pub(super) mod encode;

use http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use http_support::header_fields::{members, without_parameters};

/// The most codings that one answer may have had applied. More than one is unusual.
const MAX_CHAINED: usize = 3;

/// A content coding that is decoded, and encoded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Brotli,
    Zstd,
    Deflate,
}

impl Coding {
    fn from_name(name: &[u8]) -> Option<Self> {
        const NAMES: [(&[u8], Coding); 5] = [
            (b"gzip", Coding::Gzip),
            (b"x-gzip", Coding::Gzip),
            (b"br", Coding::Brotli),
            (b"zstd", Coding::Zstd),
            (b"deflate", Coding::Deflate),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, coding)| *coding)
    }
}

/// The codings of an answer in the order in which they were applied, or `None` where one of them is unknown.
pub(super) fn of_answer(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let codings: Option<Vec<_>> = members(headers, CONTENT_ENCODING.as_str())
        .filter(|name| !name.eq_ignore_ascii_case(b"identity"))
        .map(Coding::from_name)
        .collect();
    codings.filter(|codings| codings.len() <= MAX_CHAINED)
}

/// What remains of `Accept-Encoding` for a page: the codings of the client that are known here, as it weighs them, and `identity`.
/// `None` where the field stays as it is.
pub(super) fn accepted(headers: &HeaderMap, name: &str) -> Option<HeaderValue> {
    let is_known = |member: &[u8]| {
        let name = without_parameters(member);
        Coding::from_name(name).is_some() || name.eq_ignore_ascii_case(b"identity")
    };
    if !headers.contains_key(name) || members(headers, name).all(is_known) {
        return None;
    }
    let known: Vec<_> = members(headers, name).filter(|member| is_known(member)).collect();
    let value = if known.is_empty() { b"identity".to_vec() } else { known.join(&b", "[..]) };
    HeaderValue::from_bytes(&value).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(name: &HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn the_codings_of_an_answer_are_known_or_the_answer_is_left_alone() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (lines, codings) in [
            (&[][..], Some(vec![])),
            (&[""], Some(vec![])),
            (&["identity"], Some(vec![])),
            (&["GZIP"], Some(vec![Gzip])),
            (&["x-gzip, br"], Some(vec![Gzip, Brotli])),
            (&["zstd", "deflate"], Some(vec![Zstd, Deflate])),
            (&["compress"], None),
            (&["gzip, dcb"], None),
            (&["gzip, gzip, gzip, gzip"], None),
        ] {
            assert_eq!(of_answer(&headers(&CONTENT_ENCODING, lines)), codings, "{lines:?}");
        }
    }

    #[test]
    fn a_page_is_asked_for_in_known_codings_only() {
        for (lines, expected) in [
            (&[][..], None),
            (&["gzip, deflate, br, zstd"], None),
            (&["gzip;q=0.5", "identity;q=0"], None),
            (&["gzip, deflate, br, zstd, dcb, dcz"], Some("gzip, deflate, br, zstd")),
            (&["compress;q=1, GZIP ; q=0.5, *;q=0"], Some("GZIP ; q=0.5")),
            (&["*"], Some("identity")),
            (&["compress", "br"], Some("br")),
        ] {
            let accepted = accepted(&headers(&http::header::ACCEPT_ENCODING, lines), "accept-encoding");
            assert_eq!(accepted.as_ref().map(|value| value.to_str().unwrap()), expected, "{lines:?}");
        }
    }
}
