//! Where the pods are. A list that stands in the options; finding them by DNS and through Kubernetes comes later.

use session_domain::fleet::Address;

/// How pods are found (`USER_PODS`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    addresses: Vec<Address>,
}

impl Discovery {
    /// Reads `host:port,host:port`.
    ///
    /// # Errors
    /// What is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(scheme) = ["dns://", "kubernetes://"].into_iter().find(|scheme| text.trim().starts_with(scheme)) {
            return Err(format!("{scheme} is not in this version yet; write host:port,host:port"));
        }
        let mut addresses = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let address =
                part.rsplit_once(':').filter(|(host, _)| is_host(host)).and_then(|(_, port)| port.parse::<u16>().ok());
            if address.is_none_or(|port| port == 0) {
                return Err(format!("{part:?} is no address of a pod; write it like 10.0.0.1:9091 or [::1]:9091"));
            }
            let address = Address::new(part);
            if addresses.contains(&address) {
                return Err(format!("{part:?} stands there twice; name each pod once"));
            }
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err("names no pod; write host:port,host:port".to_owned());
        }
        Ok(Self { addresses })
    }

    /// The pods.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }
}

/// Whether a text can stand before the port: a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_is_read_and_nonsense_is_refused() {
        let pods = Discovery::parse("127.0.0.1:9091, user-2.pods:9091,[::1]:9091,").unwrap();
        assert_eq!(pods.addresses().len(), 3);
        for bad in [
            "",
            ",",
            "host",
            "host:",
            "host:0",
            "host:99999",
            "a b:1",
            "::1:9091",
            "a:1,a:1",
            "dns://x:1",
            "http://a:1",
        ] {
            assert!(Discovery::parse(bad).is_err(), "{bad}");
        }
    }
}
