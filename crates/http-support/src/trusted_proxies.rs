//! The networks whose proxies are trusted (`TRUSTED_PROXIES`).
//!
//! Trust depends on the address that a connection comes from, never on the content of a request: any client can write any
//! header field.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

/// A list of networks. It is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Why text is not a list of networks. The operator corrects the option.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NetworksError {
    /// The list is empty.
    #[error("names no network; write it like 10.0.0.0/8 or fd00::/8, comma separated")]
    Empty,
    /// This part is not a network.
    #[error("{0:?} is no network; write it like 10.0.0.0/8 or fd00::/8")]
    Invalid(String),
}

impl FromStr for Networks {
    type Err = NetworksError;

    /// Parses a comma separated list in CIDR notation. An address without a prefix length is a network of one address.
    fn from_str(text: &str) -> Result<Self, NetworksError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| {
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            part.parse().or_else(|_| address()).map_err(|_| NetworksError::Invalid(part.to_owned()))
        };
        let networks = parts.map(network).collect::<Result<Vec<_>, _>>()?;
        if networks.is_empty() { Err(NetworksError::Empty) } else { Ok(Self(networks)) }
    }
}

impl Networks {
    /// Whether every IPv4 address or every IPv6 address is in one of the networks.
    pub fn include_every_address(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }

    /// Whether the address is in one of the networks.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        // A dual-stack socket shows an IPv4 address as an IPv4-mapped IPv6 address.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_trusts_every_address_is_recognised() {
        for (networks, every_address) in [("10.0.0.0/8", false), ("10.0.0.0/8,0.0.0.0/0", true), ("::/0", true)] {
            assert_eq!(networks.parse::<Networks>().unwrap().include_every_address(), every_address, "{networks}");
        }
    }

    #[test]
    fn text_that_is_not_a_network_is_reported() {
        for (text, fault) in [
            ("", NetworksError::Empty),
            (" , ", NetworksError::Empty),
            ("10.0.0.0/33", NetworksError::Invalid("10.0.0.0/33".into())),
            ("10.0.0.0/8,proxy.local", NetworksError::Invalid("proxy.local".into())),
            ("10.0.0/8", NetworksError::Invalid("10.0.0/8".into())),
        ] {
            assert_eq!(text.parse::<Networks>(), Err(fault), "{text:?}");
        }
    }
}
