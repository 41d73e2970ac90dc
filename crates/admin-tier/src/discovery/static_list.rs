//! A fixed list of pods (`host:port,host:port`).

use std::net::Ipv6Addr;

use fleet::Address;

use super::address::{FORMS, host_and_port, is_host_name};

/// Parses the list.
///
/// # Errors
/// Where an entry is no address or occurs twice, or the list is empty.
pub(super) fn parse(text: &str) -> Result<Vec<Address>, String> {
    let mut addresses = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if host_and_port(part).is_none_or(|(host, _)| !is_host(host)) {
            return Err(format!("{part:?} is no address of a pod; write it like 10.0.0.1:9091 or [::1]:9091"));
        }
        let address = Address::new(part);
        if addresses.contains(&address) {
            return Err(format!("{part:?} is listed twice; list each pod once"));
        }
        addresses.push(address);
    }
    if addresses.is_empty() { Err(format!("lists no pod; {FORMS}")) } else { Ok(addresses) }
}

/// Returns whether a text is a host name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.map_or_else(|| is_host_name(host), |address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_is_parsed_and_anything_else_is_refused() {
        assert_eq!(parse("127.0.0.1:9091, user-2.pods:9091,[::1]:9091,").unwrap().len(), 3);
        for bad in ["", ",", "host", "host:", "host:0", "host:99999", "a b:1", "::1:9091", "a:1,a:1", "[x]:1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
