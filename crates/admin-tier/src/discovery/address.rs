//! What the forms of `USER_PODS` share: the hint in errors, and the parsing of hosts and ports.

/// How to write `USER_PODS`, as errors say it.
pub(super) const FORMS: &str = "write host:port,host:port or dns://name:port or kubernetes://namespace/service:port";

/// Splits `host:port`; `None` where the port is no port.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some((host, port))
}

/// Returns whether a text can be a host name or an IPv4 address.
pub(super) fn is_host_name(host: &str) -> bool {
    !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
