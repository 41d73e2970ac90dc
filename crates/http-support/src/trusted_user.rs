//! The user name that an authenticating proxy passes on in a header field (`TRUSTED_USER_HEADER`).

use std::net::IpAddr;

use http::HeaderName;
use http::header::HeaderMap;
use thiserror::Error;

use crate::trusted_proxies::Networks;

/// The header field with the user's name, and the proxies that may set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedUser {
    header: HeaderName,
    proxies: Networks,
}

/// Why the user's name cannot be read from a trusted proxy's request. The operator corrects the proxy.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProxyIdentityError {
    /// The field is there more than once: the proxy adds to what clients send instead of replacing it.
    #[error("the header with the user's name is there more than once; the proxy must replace what callers send")]
    Repeated,
    /// The name is not UTF-8.
    #[error("the user's name is not in UTF-8")]
    NotUtf8,
}

impl TrustedUser {
    /// Trusts `header` on connections from `proxies`.
    pub const fn new(header: HeaderName, proxies: Networks) -> Self {
        Self { header, proxies }
    }

    /// The field with the name.
    pub const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The networks of the proxies that may set the field.
    pub const fn proxies(&self) -> &Networks {
        &self.proxies
    }

    /// Whether connections from this address are trusted.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.proxies.contains(peer)
    }

    /// Reads the user's name. Returns `None` if the proxy gives no name, or if `peer` is not a trusted proxy.
    ///
    /// # Errors
    /// Fails if the proxy gives several names, or a name that is not UTF-8.
    pub fn name<'a>(&self, headers: &'a HeaderMap, peer: IpAddr) -> Result<Option<&'a str>, ProxyIdentityError> {
        if !self.trusts(peer) {
            return Ok(None);
        }
        let mut all = headers.get_all(&self.header).iter();
        let Some(value) = all.next() else { return Ok(None) };
        if all.next().is_some() {
            return Err(ProxyIdentityError::Repeated);
        }
        let name = std::str::from_utf8(value.as_bytes()).map_err(|_| ProxyIdentityError::NotUtf8)?.trim();
        Ok(Some(name).filter(|name| !name.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    const HEADER: HeaderName = HeaderName::from_static("x-forwarded-user");

    fn name(peer: &str, values: &[&'static [u8]]) -> Result<Option<String>, ProxyIdentityError> {
        let trusted = TrustedUser::new(HEADER, "10.0.0.0/8, 192.168.7.1,fd00::/8".parse().unwrap());
        let headers: HeaderMap = values.iter().map(|value| (HEADER, HeaderValue::from_bytes(value).unwrap())).collect();
        trusted.name(&headers, peer.parse().unwrap()).map(|name| name.map(str::to_owned))
    }

    #[test]
    fn a_name_is_read_from_trusted_networks_only() {
        for peer in ["10.1.2.3", "192.168.7.1", "fd00::1", "::ffff:10.1.2.3"] {
            assert_eq!(name(peer, &[b" ada "]), Ok(Some("ada".into())), "{peer}");
        }
        for peer in ["11.0.0.1", "192.168.7.2", "127.0.0.1", "::1", "::ffff:11.0.0.1"] {
            assert_eq!(name(peer, &[b"ada"]), Ok(None), "{peer}");
            assert_eq!(
                name(peer, &[b"ada", b"eve"]),
                Ok(None),
                "a repeated field of an untrusted peer is ignored: {peer}"
            );
        }
    }

    #[test]
    fn an_empty_name_is_no_name_and_two_names_are_an_error() {
        for empty in [&[] as &[&[u8]], &[b""], &[b"  "]] {
            assert_eq!(name("10.0.0.1", empty), Ok(None));
        }
        assert_eq!(name("10.0.0.1", &[b"ada", b"ada"]), Err(ProxyIdentityError::Repeated));
        assert_eq!(name("10.0.0.1", &[b"\xff"]), Err(ProxyIdentityError::NotUtf8));
        assert_eq!(name("10.0.0.1", &["zoë".as_bytes()]), Ok(Some("zoë".into())));
    }
}
