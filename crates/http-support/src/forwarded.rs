//! `X-Forwarded-*` and `Forwarded`: the scheme and host of a request as the first proxy received it.
//!
//! Any client can write these fields. With `TRUSTED_PROXIES` set, they are [removed](strip) from the requests of other peers
//! before anything reads them.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap, HeaderName};

use crate::header_fields::{has_odd_separator, members, reads_as, reads_as_prefix, remove_where};
use crate::trusted_proxies::Networks;

const PROTO: &str = "x-forwarded-proto";
const FOR: &str = "x-forwarded-for";
const HOST: &str = "x-forwarded-host";
const PREFIX: &str = "x-forwarded-";

/// Whether the client used HTTPS, or a WebSocket over TLS, according to the first proxy. `X-Forwarded-Proto` takes precedence over
/// `Forwarded`: more proxies set it, and fewer pass on what clients send.
pub fn is_secure(headers: &HeaderMap) -> bool {
    let proto = members(headers, PROTO).next().map(|first| unquote(first).into_owned());
    let proto = proto.or_else(|| first_parameter(headers, b"proto"));
    proto.is_some_and(|proto| [&b"https"[..], b"wss"].iter().any(|secure| proto.eq_ignore_ascii_case(secure)))
}

/// The host, with an optional port, that the client named to the first proxy. Only for requests of trusted peers.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    members(headers, HOST).next().and_then(|first| std::str::from_utf8(first).ok())
}

/// The address of the client: the peer's, or where the peer is a trusted proxy, the last one in `X-Forwarded-For` that is not. Where that
/// field ends before, or has something else in it, the last trusted proxy stands for its clients.
pub fn client_address(headers: &HeaderMap, trusted: Option<&Networks>, peer: IpAddr) -> IpAddr {
    let mut client = peer.to_canonical();
    let Some(trusted) = trusted else { return client };
    let lines = headers.get_all(FOR).iter().rev();
    let mut named = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    while trusted.contains(client) {
        match named.next().and_then(address) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// An address with or without a port, as proxies write it.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Removes `X-Forwarded-*`, `Forwarded` and the field with the user's name from a request of a peer that is not trusted, and from every
/// request the fields that an app may [take for them](reads_as): a proxy that sets `Remote-User` may pass on a client's `Remote_User`.
pub fn strip(headers: &mut HeaderMap, trusted: &Networks, user_field: Option<&HeaderName>, peer: Option<IpAddr>) {
    let is_trusted = peer.is_some_and(|peer| trusted.contains(peer));
    remove_where(headers, |name| match user_field {
        Some(field) if name == field => !is_trusted,
        Some(field) if reads_as(name, field.as_str()) => true,
        _ => is_forwarded(name) && (!is_trusted || has_odd_separator(name)),
    });
}

/// Whether an app may take the field for `Forwarded` or one of `X-Forwarded-*`.
pub fn is_forwarded(name: &HeaderName) -> bool {
    reads_as_prefix(name, PREFIX) || *name == FORWARDED
}

/// A parameter of the first element of `Forwarded` (RFC 7239).
fn first_parameter(headers: &HeaderMap, name: &[u8]) -> Option<Vec<u8>> {
    let line = headers.get(FORWARDED)?.as_bytes();
    let element = split_unquoted(line, b',').find(|element| !element.is_empty())?;
    split_unquoted(element, b';').find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (found, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        found.eq_ignore_ascii_case(name).then(|| unquote(value).into_owned())
    })
}

/// Splits at separators that are outside of quoted strings.
fn split_unquoted(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => return *byte == separator && !quoted,
        }
        false
    });
    parts.map(<[u8]>::trim_ascii)
}

/// Removes the quotes and escapes of a quoted string. Returns any other value unchanged.
fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return value.into() };
    if !inner.contains(&b'\\') {
        return inner.into();
    }
    let mut bytes = inner.iter().copied();
    let mut plain = Vec::with_capacity(inner.len());
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte });
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::header_fields::tests::headers;

    #[test]
    fn the_scheme_comes_from_the_first_proxy() {
        for (proto, secure) in [
            (&b"https, http"[..], true),
            (b"HTTPS", true),
            (b"wss", true),
            (b"WSS,http", true),
            (b"\"https\"", true),
            (b" https ", true),
            (b",https", true),
            (b"https, \xff", true),
            (b"http, https", false),
            (b"ws", false),
            (b"ws, wss", false),
            (b"httpss", false),
            (b"\xffhttps", false),
            (b"", false),
        ] {
            assert_eq!(is_secure(&headers(&[(PROTO, proto)])), secure, "{:?}", String::from_utf8_lossy(proto));
        }
        assert!(!is_secure(&HeaderMap::new()));
        assert!(is_secure(&headers(&[(PROTO, b"https"), (PROTO, b"http")])), "several lines are one list");
    }

    #[test]
    fn the_scheme_comes_from_forwarded_as_well() {
        for (forwarded, secure) in [
            (&b"proto=https"[..], true),
            (b"for=192.0.2.60;proto=https;by=203.0.113.43", true),
            (b"Proto=\"HTTPS\";for=\"[2001:db8::1]:4711\"", true),
            (b"PROTO = wss", true),
            (b"for=\"_a;proto=http,\\\"\";proto=https, for=b;proto=http", true),
            (b"proto=\"h\\ttps\"", true),
            (b"for=\xff;proto=https", true),
            (b"for=a;proto=http, for=b;proto=https", false),
            (b"for=a, for=b;proto=https", false),
            (b"for=\"a;proto=https\"", false),
            (b"for=\"a;proto=https", false),
            (b"proto=ws", false),
            (b"protos=https", false),
            (b"https", false),
        ] {
            assert_eq!(
                is_secure(&headers(&[("forwarded", forwarded)])),
                secure,
                "{:?}",
                String::from_utf8_lossy(forwarded)
            );
        }
        let both = headers(&[("forwarded", b"proto=https"), (PROTO, b"http")]);
        assert!(!is_secure(&both), "X-Forwarded-Proto takes precedence");
        assert!(is_secure(&headers(&[("forwarded", b"proto=https"), (PROTO, b"")])), "unless it is empty");
    }

    #[test]
    fn only_trusted_peers_may_send_forwarding_fields() {
        let trusted: Networks = "10.0.0.0/8".parse().unwrap();
        let user = HeaderName::from_static("remote-user");
        let fields = [(PROTO, &b"https"[..]), (HOST, b"a"), ("x-forwarded-x", b"b"), ("forwarded", b"proto=https")];
        for (peer, kept) in [(Some("10.0.0.1"), 6), (Some("::ffff:10.0.0.1"), 6), (Some("192.0.2.1"), 1), (None, 1)] {
            let mut headers = headers(&[&fields[..], &[("remote-user", b"ada"), ("accept", b"*/*")]].concat());
            strip(&mut headers, &trusted, Some(&user), peer.map(|peer| peer.parse().unwrap()));
            assert_eq!(headers.len(), kept, "{peer:?}");
            assert!(headers.contains_key("accept"));
        }
    }

    #[test]
    fn the_client_is_the_last_address_that_no_trusted_proxy_has() {
        let trusted: Networks = "10.0.0.0/8,fd00::/8".parse().unwrap();
        for (lines, peer, client) in [
            (&[&b"192.0.2.1"[..]][..], "198.51.100.1", "198.51.100.1"),
            (&[b"192.0.2.1"], "10.0.0.1", "192.0.2.1"),
            (&[b"192.0.2.66, 192.0.2.1, 10.0.0.2"], "10.0.0.1", "192.0.2.1"),
            (&[b"192.0.2.66", b"192.0.2.1 , fd00::2"], "::ffff:10.0.0.1", "192.0.2.1"),
            (&[b"192.0.2.1:4711"], "10.0.0.1", "192.0.2.1"),
            (&[b"[2001:db8::1]:4711"], "10.0.0.1", "2001:db8::1"),
            (&[b"[2001:db8::1]"], "10.0.0.1", "2001:db8::1"),
            (&[b"192.0.2.1, unknown"], "10.0.0.1", "10.0.0.1"),
            (&[b"10.0.0.3, 10.0.0.2"], "10.0.0.1", "10.0.0.3"),
            (&[b""], "10.0.0.1", "10.0.0.1"),
            (&[], "10.0.0.1", "10.0.0.1"),
        ] {
            let fields: Vec<_> = lines.iter().map(|line| (FOR, *line)).collect();
            let found = client_address(&headers(&fields), Some(&trusted), peer.parse().unwrap());
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{lines:?} {peer}");
        }
        let headers = headers(&[(FOR, b"192.0.2.1")]);
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(client_address(&headers, None, peer), peer, "no proxy is trusted");
    }

    #[test]
    fn no_peer_may_send_fields_that_an_app_takes_for_those_of_the_proxy() {
        let trusted: Networks = "10.0.0.0/8".parse().unwrap();
        for (user, kept) in [("remote-user", "remote-user"), ("remote_user", "remote_user")] {
            let user = HeaderName::from_static(user);
            for peer in ["10.0.0.1", "192.0.2.1"] {
                let mut headers = headers(&[
                    ("x_forwarded_for", b"a"),
                    ("x-forwarded_proto", b"https"),
                    ("remote-user", b"ada"),
                    ("remote_user", b"ada"),
                    ("remote.user", b"ada"),
                    ("api_key", b"1"),
                ]);
                strip(&mut headers, &trusted, Some(&user), peer.parse().ok());
                let left: BTreeSet<_> = headers.keys().map(HeaderName::as_str).collect();
                let expected = if peer == "10.0.0.1" { [kept, "api_key"] } else { ["api_key"; 2] };
                assert_eq!(left, BTreeSet::from(expected), "{user} {peer}");
            }
        }
    }
}
