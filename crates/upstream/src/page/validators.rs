//! Validators of pages. A page with the script is not byte for byte what the app's `ETag` names, so browsers get the tag in the weak
//! form. The app, which knows the strong form only, is asked with that.

use http::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};

/// Brings `If-None-Match` into the strong form. Returns the tags that were weak.
pub(super) fn strengthen(headers: &mut HeaderMap) -> Vec<Box<[u8]>> {
    let mut weak = Vec::new();
    for value in headers.get_all(IF_NONE_MATCH) {
        weak.extend(tags(value.as_bytes()).filter(|(_, is_weak)| *is_weak).map(|(tag, _)| Box::from(tag)));
    }
    if weak.is_empty() {
        return weak;
    }
    if let http::header::Entry::Occupied(mut entry) = headers.entry(IF_NONE_MATCH) {
        for value in entry.iter_mut() {
            let strong: Vec<_> = tags(value.as_bytes()).map(|(tag, _)| tag).collect();
            if let Ok(strong) = HeaderValue::from_bytes(&strong.join(&b", "[..])) {
                *value = strong;
            }
        }
    }
    weak
}

/// Brings a strong `ETag` into the weak form.
pub(super) fn weaken(headers: &mut HeaderMap) {
    if let Some(tag) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(ETAG, weak);
    }
}

/// Whether the `ETag` is one of these tags, in either form.
pub(super) fn is_one_of(headers: &HeaderMap, weak: &[Box<[u8]>]) -> bool {
    headers.get(ETAG).is_some_and(|tag| {
        let tag = tag.as_bytes();
        weak.iter().any(|weak| **weak == *tag.strip_prefix(b"W/").unwrap_or(tag))
    })
}

/// The tags of a list without the mark of weak ones, and whether they had it. What is no tag, such as `*`, is one member.
fn tags(list: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
        if rest.is_empty() {
            return None;
        }
        let (tag, is_weak) = match rest.strip_prefix(b"W/") {
            Some(tag) if tag.starts_with(b"\"") => (tag, true),
            _ => (rest, false),
        };
        // A comma may be inside the quotes.
        let closing =
            tag.strip_prefix(b"\"").and_then(|inner| inner.iter().position(|byte| *byte == b'"')).map(|at| at + 2);
        let end = closing.or_else(|| tag.iter().position(|byte| *byte == b',')).unwrap_or(tag.len());
        let (tag, after) = tag.split_at(end);
        rest = after;
        Some((tag.trim_ascii_end(), is_weak))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_is_asked_in_the_strong_form() {
        for (asked, strong, weak) in [
            ("W/\"a\"", "\"a\"", &["\"a\""][..]),
            ("\"a\"", "\"a\"", &[]),
            ("*", "*", &[]),
            ("W/\"a,b\" ,\"c\",, W/\"\"", "\"a,b\", \"c\", \"\"", &["\"a,b\"", "\"\""]),
            ("\"W/\"", "\"W/\"", &[]),
            ("unquoted, W/\"x", "unquoted, \"x", &["\"x"]),
        ] {
            let mut headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(asked))]);
            let found = strengthen(&mut headers);
            assert_eq!(headers[IF_NONE_MATCH], strong, "{asked}");
            assert_eq!(found, weak.iter().map(|tag| Box::from(tag.as_bytes())).collect::<Vec<Box<[u8]>>>(), "{asked}");
        }
    }

    #[test]
    fn a_browser_gets_the_weak_form() {
        for (tag, weak) in [("\"a\"", "W/\"a\""), ("W/\"a\"", "W/\"a\""), ("unquoted", "unquoted")] {
            let mut headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static(tag))]);
            weaken(&mut headers);
            assert_eq!(headers[ETAG], weak);
        }
    }
}
