//! Reading header fields as bytes.
//!
//! A field is split first, and only the wanted part is interpreted. Parts that are not valid text, such as an unknown media
//! type, therefore do not hide the other parts.

use http::header::{ACCEPT, HeaderMap, HeaderName};

/// Iterates over the members of a comma separated field, over all its lines in order. Skips empty members.
pub fn members<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|part| !part.is_empty())
}

/// The value of a field, or a member of it, without its parameters: the media type of `text/html; charset=utf-8`.
pub fn without_parameters(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

/// Whether the field is present and has a member, in any line, that is not one of `words`.
pub fn has_member_other_than(headers: &HeaderMap, name: &str, words: &[&str]) -> bool {
    headers.get_all(name).iter().any(|line| {
        let mut parts = line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !parts.all(|part| words.iter().any(|word| word.as_bytes() == part))
    })
}

/// Whether an app may take a field of this name for `field`, which is in lower case: CGI and its descendants (WSGI, PHP, Rack) hand both
/// `Remote-User` and `Remote_User` to the app as `HTTP_REMOTE_USER`, some of them every other separator, too.
pub fn reads_as(name: &HeaderName, field: &str) -> bool {
    name.as_str().len() == field.len() && reads_as_prefix(name, field)
}

/// Whether an app may take the beginning of this name for `prefix`, as [`reads_as`] says.
pub fn reads_as_prefix(name: &HeaderName, prefix: &str) -> bool {
    let are_separators = |one: u8, other: u8| !one.is_ascii_alphanumeric() && !other.is_ascii_alphanumeric();
    // Names are in lower case.
    let (name, prefix) = (name.as_str(), prefix.bytes());
    name.len() >= prefix.len()
        && name.bytes().zip(prefix).all(|(one, other)| one == other || are_separators(one, other))
}

/// Whether the name has a separator other than the hyphen: an app may take it for the field with hyphens.
pub fn has_odd_separator(name: &HeaderName) -> bool {
    name.as_str().bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'-')
}

/// Removes the fields whose name meets a condition.
pub fn remove_where(headers: &mut HeaderMap, is_removed: impl Fn(&HeaderName) -> bool) {
    let names: Vec<_> = headers.keys().filter(|name| is_removed(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Iterates over the media ranges of `Accept`, without their parameters. Skips ranges with `q=0`.
pub fn media_ranges(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    members(headers, ACCEPT.as_str()).filter_map(|range| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next()?;
        (!parts.any(has_zero_weight)).then_some(name)
    })
}

/// Whether `Accept` names this media type with a weight above zero.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    media_ranges(headers).any(|range| range.eq_ignore_ascii_case(media_type.as_bytes()))
}

/// Whether a parameter is a weight of zero, such as `q=0` or `q=0.000`.
fn has_zero_weight(parameter: &[u8]) -> bool {
    matches!(parameter, [b'q' | b'Q', b'=', b'0', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'.' | b'0')))
}

/// Whether `Sec-Fetch-Mode` says that the request is a navigation. Returns `None` without that field: browsers omit it over
/// plain HTTP, and other clients do not know it.
pub fn fetch_mode_is_navigate(headers: &HeaderMap) -> Option<bool> {
    const MODE: &str = "sec-fetch-mode";
    headers.contains_key(MODE).then(|| !has_member_other_than(headers, MODE, &["navigate"]))
}

/// Whether the request is a navigation, whose response a user sees: `Sec-Fetch-Mode` says so or, without that field, `Accept`
/// names HTML.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    fetch_mode_is_navigate(headers).unwrap_or_else(|| accepts(headers, "text/html"))
}

#[cfg(test)]
pub(crate) mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    /// Builds a header map from names and values.
    pub(crate) fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_media_type_is_found_beside_invalid_members() {
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
    fn a_field_reads_as_another_whatever_its_separators() {
        for (name, reads) in [
            ("remote-user", true),
            ("remote_user", true),
            ("remote.user", true),
            ("remote~user", true),
            ("remoteauser", false),
            ("remote-user-", false),
            ("remote_use", false),
        ] {
            assert_eq!(reads_as(&HeaderName::from_static(name), "remote-user"), reads, "{name}");
        }
        assert!(reads_as(&HeaderName::from_static("x-user"), "x_user"), "the field itself may have an underscore");
        assert!(reads_as_prefix(&HeaderName::from_static("x_forwarded-for"), "x-forwarded-"));
        assert!(!reads_as_prefix(&HeaderName::from_static("x_forwarded"), "x-forwarded-"));
        assert!(!has_odd_separator(&HeaderName::from_static("x-forwarded-for")));
    }

    #[test]
    fn a_member_matches_only_as_a_whole() {
        let has_other = |lines: &[&[u8]]| {
            let lines: Vec<_> = lines.iter().map(|line| ("sec-fetch-mode", *line)).collect();
            has_member_other_than(&headers(&lines), "sec-fetch-mode", &["navigate"])
        };
        assert!(
            !has_other(&[])
                && !has_other(&[b"navigate"])
                && !has_other(&[b"navigate, navigate"])
                && !has_other(&[b"navigate", b"navigate"])
        );
        for other in
            [&[&b""[..]][..], &[b"cors"], &[b"Navigate"], &[b"navigate\xff"], &[b"navigate", b"cors"], &[b"navigate,"]]
        {
            assert!(has_other(other), "{other:?}");
        }
    }
}
