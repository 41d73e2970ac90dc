//! Checks the host that a request names (RFC 9112, 3.2; RFC 9113, 8.3.1): exactly one valid host, or 400.
//!
//! A proxy in front and this server could route a request with two hosts differently.

use std::net::Ipv6Addr;

use http::header::HOST;
use http::{Request, Version};
use thiserror::Error;

/// Why a request's host is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum HostError {
    #[error("The request names no host: send one Host field.")]
    Missing,
    #[error("The request has more than one Host field: send one.")]
    Repeated,
    #[error("The Host field is not a host with an optional port.")]
    Invalid,
    #[error("The Host field and :authority name different hosts.")]
    Conflicting,
}

/// Checks the host of a request. HTTP/1.0 clients may leave it out.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), HostError> {
    let mut fields = request.headers().get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(HostError::Repeated);
    }
    let field = match field {
        Some(value) => {
            let host = std::str::from_utf8(value.as_bytes()).map_err(|_| HostError::Invalid)?;
            Some(host).filter(|host| is_valid(host)).ok_or(HostError::Invalid)?.into()
        }
        None => None,
    };
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    if authority.is_some_and(|authority| !is_valid(authority)) {
        return Err(HostError::Invalid);
    }
    match (request.version(), field, authority) {
        (Version::HTTP_2, None, None) | (Version::HTTP_11, None, _) => Err(HostError::Missing),
        // In HTTP/1.1 the target's own host counts, and the field is ignored (RFC 9112, 3.2.2).
        (Version::HTTP_2, Some(field), Some(authority))
            if !is_same_host(field, authority, request.uri().scheme_str()) =>
        {
            Err(HostError::Conflicting)
        }
        _ => Ok(()),
    }
}

/// `uri-host [ ":" port ]` with a host that is not empty: no http URI has an empty one (RFC 9110, 4.2.1).
fn is_valid(host: &str) -> bool {
    let (name, rest) = match host.strip_prefix('[') {
        Some(literal) => {
            let Some((address, rest)) = literal.split_once(']') else { return false };
            if address.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            (address, rest)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_literal = host.starts_with('[');
    let port_is_valid = match rest.strip_prefix(':') {
        Some("") => true,
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok(),
        None => rest.is_empty(),
    };
    port_is_valid && !name.is_empty() && (is_literal || is_registered_name(name))
}

/// `reg-name` of RFC 3986: unreserved characters, sub-delimiters and percent-encoded octets.
fn is_registered_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let octet = bytes.get(at + 1..at + 3);
                if !octet.is_some_and(|octet| octet.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 3;
            }
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {
                at += 1;
            }
            byte if byte.is_ascii_alphanumeric() => at += 1,
            _ => return false,
        }
    }
    true
}

/// Whether both name the same host and port; the scheme's own port may be left out.
pub fn is_same_host(one: &str, other: &str, scheme: Option<&str>) -> bool {
    fn without_port<'a>(host: &'a str, default: &str) -> &'a str {
        host.strip_suffix(default).or_else(|| host.strip_suffix(':')).unwrap_or(host)
    }
    let default = match scheme {
        Some("https") => ":443",
        _ => ":80",
    };
    without_port(one, default).eq_ignore_ascii_case(without_port(other, default))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(version: Version, target: &str, hosts: &[&[u8]]) -> Result<(), HostError> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        check(&request.body(()).unwrap())
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for host in
            ["a", "a.b-c_d:80", "127.0.0.1:9090", "[::1]", "[::1]:9090", "localhost:", "%41b", "xn--bcher-kva.example"]
        {
            assert!(is_valid(host), "{host}");
        }
        let invalid = [
            "", ":80", "a b", "a:b", "a:99999", "a:1:2", "::1", "[::1", "[x]", "[]", "[::1]a", "u@a", "a/b", "a?b",
            "a#b", "a, b", "%4", "%zz", "a\\b", "bücher",
        ];
        for host in invalid {
            assert!(!is_valid(host), "{host}");
        }
    }

    #[test]
    fn http1_needs_exactly_one_valid_host_and_http10_none() {
        for (version, hosts, result) in [
            (Version::HTTP_11, &[&b"x"[..]][..], Ok(())),
            (Version::HTTP_11, &[], Err(HostError::Missing)),
            (Version::HTTP_11, &[b"x", b"x"], Err(HostError::Repeated)),
            (Version::HTTP_11, &[b"x", b"y"], Err(HostError::Repeated)),
            (Version::HTTP_11, &[b""], Err(HostError::Invalid)),
            (Version::HTTP_11, &[b"\xff"], Err(HostError::Invalid)),
            (Version::HTTP_10, &[], Ok(())),
            (Version::HTTP_10, &[b"x", b"x"], Err(HostError::Repeated)),
            (Version::HTTP_10, &[b"a b"], Err(HostError::Invalid)),
        ] {
            assert_eq!(checked(version, "/", hosts), result, "{version:?} {hosts:?}");
        }
        assert_eq!(checked(Version::HTTP_11, "http://other/", &[b"x"]), Ok(()));
        assert_eq!(checked(Version::HTTP_11, "http://other/", &[]), Err(HostError::Missing));
    }

    #[test]
    fn http2_needs_an_authority_or_a_host_that_do_not_conflict() {
        for (target, hosts, result) in [
            ("http://x/", &[][..], Ok(())),
            ("/", &[&b"x"[..]][..], Ok(())),
            ("/", &[], Err(HostError::Missing)),
            ("http://x/", &[b"X:80"], Ok(())),
            ("https://x:443/", &[b"x"], Ok(())),
            ("http://x/", &[b"y"], Err(HostError::Conflicting)),
            ("http://x:81/", &[b"x"], Err(HostError::Conflicting)),
            ("http://u@x/", &[], Err(HostError::Invalid)),
            ("http://x/", &[b"x", b"x"], Err(HostError::Repeated)),
        ] {
            assert_eq!(checked(Version::HTTP_2, target, hosts), result, "{target} {hosts:?}");
        }
    }
}
