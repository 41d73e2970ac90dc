//! Whether a request that changes something was made by our own page.

use http::header::{HOST, HeaderMap, ORIGIN};
use http::{Method, Uri};

/// Whether `method` only reads.
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether the browser says that another site made this request, or its origin is foreign. A client that says
/// neither is no browser, and nobody's cookie rides on it.
pub fn is_foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    let site = header(headers, "sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let Some(origin) = header(headers, ORIGIN.as_str()) else {
        return headers.contains_key(ORIGIN);
    };
    if origin == "null" {
        // A page without referrers says this of itself; only the other header tells it from a stranger.
        return site.is_none();
    }
    let host = header(headers, HOST.as_str()).or_else(|| uri.authority().map(|authority| authority.as_str()));
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    match (authority, host) {
        (Some(authority), Some(host)) => !without_port(authority).eq_ignore_ascii_case(without_port(host)),
        _ => true,
    }
}

/// Whether another site sent the browser here.
pub fn is_cross_site(headers: &HeaderMap) -> bool {
    header(headers, "sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Whether the browser fetches ahead of a click that may never come.
pub fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .iter()
        .filter_map(|name| header(headers, name))
        .any(|purpose| purpose.contains("prefetch") || purpose.contains("prerender") || purpose.contains("preview"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The default port may stand in one and not in the other.
fn without_port(authority: &str) -> &str {
    authority.strip_suffix(":80").or_else(|| authority.strip_suffix(":443")).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HeaderName;

    use super::*;

    #[test]
    fn strangers_are_told_from_our_own_page() {
        let cases: [(&[(&str, &str)], bool); 11] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://app.test:9090")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "http://app.test:9090")], false),
            (&[("origin", "http://APP.test:9090")], false),
            (&[("origin", "http://app.test:9190")], true),
            (&[("origin", "https://evil.test")], true),
            (&[("origin", "null")], true),
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")], false),
        ];
        for (pairs, foreign) in cases {
            let mut headers: HeaderMap = pairs
                .iter()
                .map(|(n, v)| (HeaderName::from_bytes(n.as_bytes()).unwrap(), HeaderValue::from_str(v).unwrap()))
                .collect();
            headers.insert(HOST, HeaderValue::from_static("app.test:9090"));
            assert_eq!(is_foreign(&headers, &Uri::from_static("/login")), foreign, "{pairs:?}");
        }
    }
}
