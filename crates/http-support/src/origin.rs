//! The origin of a page (RFC 6454), as browsers write it in the `Origin` field: scheme, host and port.

use http::HeaderValue;
use http::uri::Authority;

/// An origin. Letter case makes no difference, nor does the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Parses an origin. Returns `None` for `null`, and for text with a path, with a user, or without a scheme.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let first = scheme.bytes().next()?;
        let is_scheme = first.is_ascii_alphabetic()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = host_and_port(authority)?;
        let port = port.or_else(|| default_port(&scheme));
        Some(Self { scheme, host, port })
    }

    /// Parses the value of an `Origin` field.
    pub(crate) fn from_header(value: &HeaderValue) -> Option<Self> {
        Self::parse(std::str::from_utf8(value.as_bytes()).ok()?)
    }

    /// Whether a request to `host` (`name` or `name:port`) goes to this origin's own host and port.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        host_and_port(host)
            .is_some_and(|(host, port)| host == self.host && port.or_else(|| default_port(&self.scheme)) == self.port)
    }
}

/// Splits `host[:port]`. An empty port counts as absent.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let parsed: Authority = authority.parse().ok().filter(|_| !authority.contains('@'))?;
    let host = parsed.host();
    let is_whole = host.len() == authority.len() || parsed.port_u16().is_some();
    (is_whole && !host.is_empty()).then(|| (host.to_ascii_lowercase(), parsed.port_u16()))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_its_own_host_and_port_only() {
        for (origin, host, own) in [
            ("http://app.test:9090", "app.test:9090", true),
            ("http://APP.test", "app.TEST", true),
            ("http://app.test", "app.test:80", true),
            ("http://app.test:80", "app.test", true),
            ("https://app.test", "app.test:443", true),
            ("https://app.test", "app.test:", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://[::1]", "[::1]:80", true),
            ("http://app.test:443", "app.test", false),
            ("https://app.test:80", "app.test", false),
            ("http://app.test", "app.test:443", false),
            ("http://app.test:9190", "app.test:9090", false),
            ("http://app.test", "app.test.evil.test", false),
            ("http://evil.test", "app.test", false),
            ("https://app.test", "", false),
        ] {
            assert_eq!(Origin::parse(origin).unwrap().has_host(host), own, "{origin} at {host}");
        }
    }

    #[test]
    fn text_that_is_not_an_origin_is_rejected() {
        for text in [
            "null",
            "",
            "app.test",
            "//app.test",
            "http://",
            "http://app.test/",
            "http://a@app.test",
            "http://app.test:x",
            "http://app.test:70000",
            "1http://app.test",
            "http://a.test http://b.test",
            "http://ä.test",
            "http://app.test?x",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
    }
}
