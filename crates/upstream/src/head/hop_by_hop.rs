//! Fields that belong to one connection: they are not passed on (RFC 9110, 7.6.1).

use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER, UPGRADE};
use http_support::header_fields::members;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Removes the hop-by-hop fields of a request. What is meant for the app is said anew: that trailers are understood, and the protocol
/// that an HTTP/1.1 client wants to change to. Returns whether it wants that.
///
/// HTTP/2 is not offered that way: its requests would pass unseen.
pub fn remove_from_request(headers: &mut HeaderMap, may_upgrade: bool) -> bool {
    let takes_trailers = members(headers, TE.as_str()).any(|coding| coding.eq_ignore_ascii_case(b"trailers"));
    let protocols = if may_upgrade { wanted_protocols(headers) } else { None };
    remove(headers);
    headers.remove(PROXY_AUTHORIZATION);
    headers.remove(HTTP2_SETTINGS);
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let upgrades = protocols.is_some();
    if let Some(protocols) = protocols {
        headers.insert(UPGRADE, protocols);
    }
    match (upgrades, takes_trailers) {
        (true, true) => headers.insert(CONNECTION, HeaderValue::from_static("upgrade, te")),
        (true, false) => headers.insert(CONNECTION, HeaderValue::from_static("upgrade")),
        (false, true) => headers.insert(CONNECTION, HeaderValue::from_static("te")),
        (false, false) => None,
    };
    upgrades
}

/// Removes the hop-by-hop fields of an answer. Where the connection changes its protocol, `Connection` and `Upgrade` are set again.
pub fn remove_from_answer(headers: &mut HeaderMap, switches: bool) {
    let protocol = if switches { headers.get(UPGRADE).cloned() } else { None };
    remove(headers);
    if switches {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
    }
}

/// The framing is removed with it; `Trailer` stays: it names trailers, which are passed on.
fn remove(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    headers.remove(KEEP_ALIVE);
    headers.remove(PROXY_CONNECTION);
    headers.remove(TE);
    headers.remove(UPGRADE);
}

/// The fields that `Connection` names. It cannot take away what a message needs to be understood.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let is_kept = |name: &HeaderName| {
        matches!(*name, HOST | TRAILER | http::header::CONTENT_LENGTH | http::header::TRANSFER_ENCODING)
    };
    let is_plain = |option: &&[u8]| {
        [&b"keep-alive"[..], b"close", b"upgrade"].iter().any(|plain| option.eq_ignore_ascii_case(plain))
    };
    members(headers, CONNECTION.as_str())
        .filter(|option| !is_plain(option))
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !is_kept(name))
        .collect()
}

/// The protocols of `Upgrade` without HTTP, where `Connection` names it.
fn wanted_protocols(headers: &HeaderMap) -> Option<HeaderValue> {
    if !members(headers, CONNECTION.as_str()).any(|option| option.eq_ignore_ascii_case(b"upgrade")) {
        return None;
    }
    let is_http = |protocol: &[u8]| {
        let protocol = protocol.to_ascii_lowercase();
        [&b"h2c"[..], b"h2", b"h3", b"http", b"tls"]
            .iter()
            .any(|name| protocol.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest[0] == b'/'))
    };
    let kept: Vec<_> = members(headers, UPGRADE.as_str()).filter(|protocol| !is_http(protocol)).collect();
    if kept.is_empty() { None } else { HeaderValue::from_bytes(&kept.join(&b", "[..])).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lines: &[(&str, &str)]) -> (Vec<(String, String)>, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let upgrades = remove_from_request(&mut headers, true);
        let left = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        (left.collect(), upgrades)
    }

    #[test]
    fn fields_of_the_connection_and_those_that_it_names_are_removed() {
        let (left, upgrades) = request(&[
            ("host", "a"),
            ("connection", "close, X-One"),
            ("connection", "x-two,,Host , content-length, x y"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-three", "3"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "close"),
            ("proxy-authorization", "x"),
            ("upgrade", "websocket"),
        ]);
        assert_eq!(left, [("host".to_owned(), "a".to_owned()), ("x-three".to_owned(), "3".to_owned())]);
        assert!(!upgrades, "`Connection` does not name it");
    }

    #[test]
    fn upgrades_are_passed_on_except_those_to_http() {
        for (protocols, passed) in [
            (&["websocket"][..], Some("websocket")),
            (&["WebSocket, foo/2"], Some("WebSocket, foo/2")),
            (&["h2c"], None),
            (&["H2C, websocket"], Some("websocket")),
            (&["a", "b"], Some("a, b")),
            (&["HTTP/2.0"], None),
            (&["TLS/1.3"], None),
            (&[""], None),
        ] {
            let lines: Vec<_> = protocols.iter().map(|protocol| ("upgrade", *protocol)).collect();
            let (left, upgrades) = request(&[&lines[..], &[("connection", "Upgrade, HTTP2-Settings")]].concat());
            assert_eq!(left.iter().find(|(name, _)| name == "upgrade").map(|(_, value)| value.as_str()), passed);
            assert_eq!(upgrades, passed.is_some());
        }
    }
}
