//! `X-Forwarded-For`, `-Proto` and `-Host`: what the app learns of the client's connection.

use std::net::IpAddr;

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Appends the peer to `X-Forwarded-For`, and adds the others where they are absent. What untrusted peers say was removed before.
pub fn add(headers: &mut HeaderMap, peer: Option<IpAddr>, is_secure: bool) {
    if let Some(peer) = peer.map(|peer| peer.to_canonical()) {
        let mut list = Vec::new();
        for line in headers.get_all(FOR) {
            list.extend_from_slice(line.as_bytes());
            list.extend_from_slice(b", ");
        }
        list.extend_from_slice(peer.to_string().as_bytes());
        if let Ok(list) = HeaderValue::from_maybe_shared(bytes::Bytes::from(list)) {
            headers.insert(FOR, list);
        }
    }
    if !headers.contains_key(PROTO) {
        headers.insert(PROTO, HeaderValue::from_static(if is_secure { "https" } else { "http" }));
    }
    if !headers.contains_key(FORWARDED_HOST)
        && let Some(host) = headers.get(HOST).cloned()
    {
        headers.insert(FORWARDED_HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_is_appended_and_what_is_there_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("site"));
        add(&mut headers, "::ffff:10.0.0.1".parse().ok(), false);
        assert_eq!([&headers[FOR], &headers[PROTO], &headers[FORWARDED_HOST]], ["10.0.0.1", "http", "site"]);
        headers.append(FOR, HeaderValue::from_static("2001:db8::1"));
        headers.insert(PROTO, HeaderValue::from_static("https"));
        headers.insert(HOST, HeaderValue::from_static("other"));
        add(&mut headers, "10.0.0.2".parse().ok(), false);
        assert_eq!(headers[FOR], "10.0.0.1, 2001:db8::1, 10.0.0.2");
        assert_eq!(headers.get_all(FOR).iter().count(), 1);
        assert_eq!([&headers[PROTO], &headers[FORWARDED_HOST]], ["https", "site"]);
    }
}
