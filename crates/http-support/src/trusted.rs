//! A name that a proxy in front has found out and passes on in a header. Believed by where the connection comes from, never
//! by what the request says: anybody can write a header.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderName;
use http::header::HeaderMap;
use ipnet::IpNet;
use thiserror::Error;

/// Networks, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// What is no list of networks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BadNetwork {
    /// There is none in it.
    #[error("names no network; write it like 10.0.0.0/8 or fd00::/8, comma separated")]
    None,
    /// This part is none.
    #[error("{0:?} is no network; write it like 10.0.0.0/8 or fd00::/8")]
    Part(String),
}

impl FromStr for Networks {
    type Err = BadNetwork;

    /// Reads networks as CIDR, comma separated. A bare address is a network of one.
    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| {
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            part.parse().or_else(|_| address()).map_err(|_| BadNetwork::Part(part.to_owned()))
        };
        let networks = parts.map(network).collect::<Result<Vec<_>, _>>()?;
        if networks.is_empty() { Err(BadNetwork::None) } else { Ok(Self(networks)) }
    }
}

impl Networks {
    /// Whether no address is outside, of one kind or the other.
    pub fn are_the_whole_world(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }

    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        // A socket for both kinds shows an IPv4 address wrapped into one of IPv6.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The header with the user's name, and who is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedUser {
    header: HeaderName,
    proxies: Networks,
}

/// Why a proxy's word is not understood.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProxyIdentityError {
    /// The header is there more than once: the proxy adds to what callers send instead of replacing it.
    #[error("the header with the user's name is there more than once; the proxy must replace what callers send")]
    Twice,
    /// The name is not in UTF-8.
    #[error("the user's name is not in UTF-8")]
    NotText,
}

impl TrustedUser {
    /// Believes `header` where the connection comes from `proxies`.
    pub const fn new(header: HeaderName, proxies: Networks) -> Self {
        Self { header, proxies }
    }

    /// The header that is believed.
    pub const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The networks that it is believed from.
    pub const fn proxies(&self) -> &Networks {
        &self.proxies
    }

    /// Whether a connection from there is believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.proxies.contain(peer)
    }

    /// The name that the proxy gives; `None` where it gives none, or the connection is not the proxy's.
    ///
    /// # Errors
    /// Where the proxy gives more than one, or one that cannot be read.
    pub fn name<'a>(&self, headers: &'a HeaderMap, peer: IpAddr) -> Result<Option<&'a str>, ProxyIdentityError> {
        if !self.trusts(peer) {
            return Ok(None);
        }
        let mut all = headers.get_all(&self.header).iter();
        let Some(value) = all.next() else { return Ok(None) };
        if all.next().is_some() {
            return Err(ProxyIdentityError::Twice);
        }
        let name = std::str::from_utf8(value.as_bytes()).map_err(|_| ProxyIdentityError::NotText)?.trim();
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
    fn a_name_is_believed_from_these_networks_only() {
        for peer in ["10.1.2.3", "192.168.7.1", "fd00::1", "::ffff:10.1.2.3"] {
            assert_eq!(name(peer, &[b" ada "]), Ok(Some("ada".into())), "{peer}");
        }
        for peer in ["11.0.0.1", "192.168.7.2", "127.0.0.1", "::1", "::ffff:11.0.0.1"] {
            assert_eq!(name(peer, &[b"ada"]), Ok(None), "{peer}");
            assert_eq!(name(peer, &[b"ada", b"eve"]), Ok(None), "what a stranger says twice is no matter: {peer}");
        }
    }

    #[test]
    fn who_trusts_the_whole_world_is_known() {
        for (networks, everybody) in [("10.0.0.0/8", false), ("10.0.0.0/8,0.0.0.0/0", true), ("::/0", true)] {
            assert_eq!(networks.parse::<Networks>().unwrap().are_the_whole_world(), everybody, "{networks}");
        }
    }

    #[test]
    fn nothing_is_nobody_and_two_names_are_refused() {
        for nobody in [&[] as &[&[u8]], &[b""], &[b"  "]] {
            assert_eq!(name("10.0.0.1", nobody), Ok(None));
        }
        assert_eq!(name("10.0.0.1", &[b"ada", b"ada"]), Err(ProxyIdentityError::Twice));
        assert_eq!(name("10.0.0.1", &[b"\xff"]), Err(ProxyIdentityError::NotText));
        assert_eq!(name("10.0.0.1", &["zoë".as_bytes()]), Ok(Some("zoë".into())));
    }

    #[test]
    fn what_is_no_network_is_named() {
        for (text, fault) in [
            ("", BadNetwork::None),
            (" , ", BadNetwork::None),
            ("10.0.0.0/33", BadNetwork::Part("10.0.0.0/33".into())),
            ("10.0.0.0/8,proxy.local", BadNetwork::Part("proxy.local".into())),
            ("10.0.0/8", BadNetwork::Part("10.0.0/8".into())),
        ] {
            assert_eq!(text.parse::<Networks>(), Err(fault), "{text:?}");
        }
    }
}
