//! Pods that stand in the options: all there from the start, for good.

use fleet::Address;

use super::{FORMS, host_and_port, is_name};

/// Reads `host:port,host:port`.
pub(super) fn parse(text: &str) -> Result<Vec<Address>, String> {
    let mut addresses = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if host_and_port(part).is_none_or(|(host, _)| !is_host(host)) {
            return Err(format!("{part:?} is no address of a pod; write it like 10.0.0.1:9091 or [::1]:9091"));
        }
        let address = Address::new(part);
        if addresses.contains(&address) {
            return Err(format!("{part:?} stands there twice; name each pod once"));
        }
        addresses.push(address);
    }
    if addresses.is_empty() {
        return Err(format!("names no pod; {FORMS}"));
    }
    Ok(addresses)
}

/// Whether a text can stand before the port: a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.map_or_else(|| is_name(host), |address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_is_read_and_nonsense_is_refused() {
        assert_eq!(parse("127.0.0.1:9091, user-2.pods:9091,[::1]:9091,").unwrap().len(), 3);
        for bad in ["", ",", "host", "host:", "host:0", "host:99999", "a b:1", "::1:9091", "a:1,a:1", "[x]:1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
