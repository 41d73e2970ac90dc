//! Cookies as requests carry them: every one of a name is seen, as a neighbour may have planted another before ours.

use http::header::{COOKIE, HeaderMap};

/// The values of all cookies of this name, in their order.
pub fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(found, _)| *found == name)
        .map(|(_, value)| value.trim_matches('"'))
}

/// Whether the request came in by HTTPS, as the first proxy says in `X-Forwarded-Proto`.
pub fn is_secure(headers: &HeaderMap) -> bool {
    let proto = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()).unwrap_or("");
    proto.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    #[test]
    fn every_cookie_of_the_name_is_seen() {
        let headers: HeaderMap = ["a=1; b=2; ab=3;a=\"4\"", "a=5; a", "=;;"]
            .map(|v| (COOKIE, HeaderValue::from_static(v)))
            .into_iter()
            .collect();
        assert_eq!(values(&headers, "a").collect::<Vec<_>>(), ["1", "4", "5"]);
        assert_eq!(values(&headers, "c").count(), 0);
    }

    #[test]
    fn the_first_proxy_tells_the_scheme() {
        for (proto, secure) in [("https, http", true), ("HTTPS", true), ("http, https", false), ("", false)] {
            let headers = [("x-forwarded-proto".parse().unwrap(), HeaderValue::from_static(proto))];
            assert_eq!(is_secure(&headers.into_iter().collect()), secure, "{proto}");
        }
        assert!(!is_secure(&HeaderMap::new()));
    }
}
