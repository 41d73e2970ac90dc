//! What a request for a page asks of the app.

use http::Method;
use http::header::{ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use http::request::Parts;
use http::uri::Scheme;
use http_support::header_fields::{self, accepts, fetch_mode_is_navigate};

use super::{coding, validators};

/// What a request lets its answer be.
#[derive(Clone, Debug)]
pub enum Expected {
    /// No page that a user opens.
    NotAPage,
    /// A page, where the answer is one.
    Page(PageRequest),
}

/// What the answer to a request for a page depends on.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub(super) is_head: bool,
    /// The names under which the browser may know the page.
    pub(super) authorities: [Option<HeaderValue>; 2],
    /// Whether the browser came over TLS, if that is known.
    pub(super) is_secure: Option<bool>,
    /// The tags of `If-None-Match` that the client sent in the weak form.
    pub(super) weak_tags: Vec<Box<[u8]>>,
}

/// Whether the answer is one that a browser shows as a page. `HEAD` asks what `GET` would be answered.
fn is_page_request(head: &Parts) -> bool {
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    fetch_mode_is_navigate(&head.headers).unwrap_or_else(|| reads && accepts(&head.headers, "text/html"))
}

/// Adapts a request, and says what its answer may be.
pub(super) fn adapt(head: &mut Parts) -> Expected {
    if !is_page_request(head) {
        return Expected::NotAPage;
    }
    let authority = head.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let headers = &mut head.headers;
    let page = PageRequest {
        is_head: head.method == Method::HEAD,
        authorities: [headers.get(HOST).cloned().or(authority), last(headers, "x-forwarded-host")],
        is_secure: last(headers, "x-forwarded-proto")
            .map(|scheme| scheme.as_bytes().eq_ignore_ascii_case(Scheme::HTTPS.as_str().as_bytes())),
        weak_tags: if head.method.is_safe() { validators::strengthen(headers) } else { Vec::new() },
    };
    if let Some(codings) = coding::accepted(headers, ACCEPT_ENCODING.as_str()) {
        headers.insert(ACCEPT_ENCODING, codings);
    }
    // A part of a page cannot get the script.
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
    Expected::Page(page)
}

fn last(headers: &HeaderMap, name: &str) -> Option<HeaderValue> {
    header_fields::members(headers, name).last().and_then(|value| HeaderValue::from_bytes(value).ok())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn request(method: &str, lines: &[(&'static str, &'static str)]) -> Parts {
        let builder = Request::builder().method(method).uri("/");
        lines
            .iter()
            .fold(builder, |builder, (name, value)| builder.header(*name, *value))
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn only_navigations_ask_for_pages() {
        const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
        const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");
        for (method, lines, is_page) in [
            ("GET", &[NAVIGATE][..], true),
            ("POST", &[NAVIGATE], true),
            ("GET", &[HTML], true),
            ("HEAD", &[HTML], true),
            ("POST", &[HTML], false),
            ("GET", &[HTML, ("sec-fetch-mode", "cors")], false),
            ("GET", &[("accept", "*/*")], false),
            ("GET", &[], false),
        ] {
            let mut head = request(method, lines);
            assert_eq!(matches!(adapt(&mut head), Expected::Page(_)), is_page, "{method} {lines:?}");
        }
    }

    #[test]
    fn only_a_request_for_a_page_is_changed() {
        let fields = [
            ("range", "bytes=0-9"),
            ("if-range", "\"a\""),
            ("if-none-match", "W/\"a\""),
            ("accept-encoding", "gzip, dcb"),
        ];
        let mut page = request("GET", &[&[("accept", "text/html")][..], &fields].concat());
        adapt(&mut page);
        let mut names: Vec<_> =
            page.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        names.sort_unstable();
        assert_eq!(names, [("accept", "text/html"), ("accept-encoding", "gzip"), ("if-none-match", "\"a\"")]);
        let mut other = request("GET", &fields);
        let before = other.headers.clone();
        adapt(&mut other);
        assert_eq!(other.headers, before);
    }
}
