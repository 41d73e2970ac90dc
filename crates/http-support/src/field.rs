//! Header fields as they are: bytes. A field is taken apart first, and only the part that is meant is read, so that what others
//! put beside it spoils nothing: cookies of scripts in raw UTF-8, unknown media types.

use http::header::{ACCEPT, HeaderMap};

/// The members of a comma separated field, of all its lines in their order. Empty ones are left out.
pub fn members<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|part| !part.is_empty())
}

/// Whether the field is present and any of its members, in any line, is none of these words.
pub fn is_other_than(headers: &HeaderMap, name: &str, words: &[&str]) -> bool {
    headers.get_all(name).iter().any(|line| {
        let mut parts = line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !parts.all(|part| words.iter().any(|word| word.as_bytes() == part))
    })
}

/// The media ranges of `Accept` without their parameters, but for those that `q=0` rules out.
pub fn media_ranges(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    members(headers, ACCEPT.as_str()).filter_map(|range| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next()?;
        (!parts.any(is_ruled_out)).then_some(name)
    })
}

/// Whether `Accept` names this media type, and does not rule it out.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    media_ranges(headers).any(|range| range.eq_ignore_ascii_case(media_type.as_bytes()))
}

/// Whether a parameter is a weight of zero: `q=0`, `q=0.000`.
fn is_ruled_out(parameter: &[u8]) -> bool {
    matches!(parameter, [b'q' | b'Q', b'=', b'0', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'.' | b'0')))
}

/// Whether a browser says that it goes to a page (`Sec-Fetch-Mode`); `None` where it says nothing: over plain HTTP, or no
/// browser.
pub fn says_navigation(headers: &HeaderMap) -> Option<bool> {
    const MODE: &str = "sec-fetch-mode";
    headers.contains_key(MODE).then(|| !is_other_than(headers, MODE, &["navigate"]))
}

/// Whether a user will look at the answer: the browser says that it goes to a page; where it says nothing, the request asks for
/// HTML.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    says_navigation(headers).unwrap_or_else(|| accepts(headers, "text/html"))
}

#[cfg(test)]
pub(crate) mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    /// Fields with these names and values.
    pub(crate) fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_media_type_is_found_beside_anything() {
        for (accept, html) in [
            (&b"text/html"[..], true),
            (b"application/json, TEXT/HTML;q=0.9", true),
            (b"text/html, \xff", true),
            (b"\xc3\xbc/x;a=\xff,text/html;level=1", true),
            (b"text/html;q=0, */*", false),
            (b"text/html ; q=0.001", true),
            (b"text/html-ish, xtext/html", false),
            (b"*/*", false),
            (b"", false),
        ] {
            assert_eq!(
                accepts(&headers(&[("accept", accept)]), "text/html"),
                html,
                "{:?}",
                String::from_utf8_lossy(accept)
            );
        }
        let lines = headers(&[("accept", b"\xff"), ("accept", b"text/html")]);
        assert!(accepts(&lines, "text/html"), "in a line of its own");
    }

    #[test]
    fn a_word_counts_only_where_it_stands_alone() {
        let said = |lines: &[&[u8]]| {
            let lines: Vec<_> = lines.iter().map(|line| ("sec-fetch-mode", *line)).collect();
            is_other_than(&headers(&lines), "sec-fetch-mode", &["navigate"])
        };
        assert!(
            !said(&[])
                && !said(&[b"navigate"])
                && !said(&[b"navigate, navigate"])
                && !said(&[b"navigate", b"navigate"])
        );
        for other in
            [&[&b""[..]][..], &[b"cors"], &[b"Navigate"], &[b"navigate\xff"], &[b"navigate", b"cors"], &[b"navigate,"]]
        {
            assert!(said(other), "{other:?}");
        }
    }
}
