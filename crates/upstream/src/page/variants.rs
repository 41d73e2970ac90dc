//! The mark of an answer that differs between navigations and `fetch`: `Vary`, so that a cache gives neither the page without the
//! script to a navigation, nor the one with it to a script of the app.

use http::header::{CACHE_CONTROL, ETAG, EXPIRES, HeaderMap, HeaderValue, LAST_MODIFIED, VARY};
use http_support::header_fields::{members, without_parameters};

use super::charset::ContentType;

/// What decides whether a request asks for a page.
const DECIDES: [&str; 2] = ["sec-fetch-mode", "accept"];
const DECIDES_LINE: HeaderValue = HeaderValue::from_static("Sec-Fetch-Mode, Accept");

/// Marks HTML that a cache may keep.
pub(super) fn mark(headers: &mut HeaderMap) {
    let is_html = matches!(ContentType::of(headers), ContentType::Html(_));
    if is_html && may_be_kept(headers) && !is_marked(headers) {
        headers.append(VARY, DECIDES_LINE);
    }
}

/// Whether a cache may keep an answer, as far as the answer says so itself.
fn may_be_kept(headers: &HeaderMap) -> bool {
    let names_cache = [CACHE_CONTROL, EXPIRES, ETAG, LAST_MODIFIED].iter().any(|name| headers.contains_key(name));
    let mut directives = members(headers, CACHE_CONTROL.as_str());
    names_cache && !directives.any(|directive| without_parameters(directive).eq_ignore_ascii_case(b"no-store"))
}

fn is_marked(headers: &HeaderMap) -> bool {
    let has = |wanted: &str| members(headers, VARY.as_str()).any(|name| name.eq_ignore_ascii_case(wanted.as_bytes()));
    has("*") || DECIDES.iter().all(|name| has(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_that_a_cache_may_keep_varies_with_what_makes_it_a_page() {
        const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
        const MARK: &str = "Sec-Fetch-Mode, Accept";
        for (lines, vary) in [
            (&[HTML, ("cache-control", "max-age=60")][..], &[MARK][..]),
            (&[HTML, ("etag", "\"a\""), ("vary", "Accept-Encoding")], &["Accept-Encoding", MARK]),
            (&[HTML, ("last-modified", "x"), ("vary", "accept, sec-fetch-mode")], &["accept, sec-fetch-mode"]),
            (&[HTML, ("expires", "0"), ("vary", "*")], &["*"]),
            (&[HTML, ("etag", "\"a\""), ("cache-control", "private, No-Store")], &[]),
            (&[HTML], &[]),
            (&[("content-type", "text/css"), ("cache-control", "max-age=60")], &[]),
        ] {
            let mut headers: HeaderMap =
                lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            mark(&mut headers);
            assert_eq!(headers.get_all(VARY).iter().collect::<Vec<_>>(), vary, "{lines:?}");
        }
    }
}
