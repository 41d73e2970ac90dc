//! Origins: where a page came from, as browsers write it, and the list of those that may post here.

use std::str::FromStr;

use http::HeaderValue;
use http::uri::Authority;
use thiserror::Error;

/// An origin: scheme, host and port. Letter case and the scheme's own port make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Reads an origin as browsers write it; `None` for `null`, and for what has a path, a user or no scheme.
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

    pub(crate) fn read(value: &HeaderValue) -> Option<Self> {
        Self::parse(std::str::from_utf8(value.as_bytes()).ok()?)
    }

    /// Whether a page of this origin talks to its own host when it asks for `host` (`name` or `name:port`).
    pub(crate) fn is_at(&self, host: &str) -> bool {
        host_and_port(host)
            .is_some_and(|(host, port)| host == self.host && port.or_else(|| default_port(&self.scheme)) == self.port)
    }
}

/// A port that is empty is none.
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

/// Origins whose pages may post here besides our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Origin>);

/// What is no list of origins.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OriginError {
    /// There is none in it.
    #[error("names no origin; write them like https://app.example.org, comma separated")]
    None,
    /// `*` or `null`: no origin in particular.
    #[error(
        "{0:?} would let pages of every site act for their visitors; name each origin, like https://app.example.org"
    )]
    Everybody(String),
    /// An address of a page, not an origin.
    #[error("{0:?} has a path; an origin ends after the host and port, without a slash: https://app.example.org")]
    Path(String),
    /// Something else.
    #[error(
        "{0:?} is no origin; write scheme, host and if needed port, like https://app.example.org:8443 (names in their xn-- form)"
    )]
    Invalid(String),
}

impl FromStr for AllowedOrigins {
    type Err = OriginError;

    /// Reads origins, comma separated.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let origins = parts.map(read_allowed).collect::<Result<Vec<_>, _>>()?;
        if origins.is_empty() { Err(OriginError::None) } else { Ok(Self(origins)) }
    }
}

fn read_allowed(text: &str) -> Result<Origin, OriginError> {
    if text.eq_ignore_ascii_case("null") || text.contains('*') {
        return Err(OriginError::Everybody(text.to_owned()));
    }
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    if after_scheme.contains(['/', '?', '#']) && !after_scheme.starts_with('/') {
        return Err(OriginError::Path(text.to_owned()));
    }
    Origin::parse(text).ok_or_else(|| OriginError::Invalid(text.to_owned()))
}

impl AllowedOrigins {
    pub(crate) fn contain(&self, origin: &Origin) -> bool {
        self.0.contains(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_at_its_own_host_and_port_only() {
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
            assert_eq!(Origin::parse(origin).unwrap().is_at(host), own, "{origin} at {host}");
        }
    }

    #[test]
    fn what_is_no_origin_is_none() {
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

    #[test]
    fn what_may_not_be_allowed_is_named_with_what_to_do() {
        let allowed: AllowedOrigins =
            " https://App.example.org:443,http://b.test:8080 , capacitor://localhost".parse().unwrap();
        for (origin, is_allowed) in [
            ("https://app.example.org", true),
            ("http://b.test:8080", true),
            ("capacitor://localhost", true),
            ("http://app.example.org", false),
            ("http://b.test", false),
        ] {
            assert_eq!(allowed.contain(&Origin::parse(origin).unwrap()), is_allowed, "{origin}");
        }
        for (text, fault) in [
            ("", OriginError::None),
            (" , ", OriginError::None),
            ("*", OriginError::Everybody("*".into())),
            ("https://*.example.org", OriginError::Everybody("https://*.example.org".into())),
            ("https://a.test,null", OriginError::Everybody("null".into())),
            ("https://a.test/", OriginError::Path("https://a.test/".into())),
            ("https://a.test/x", OriginError::Path("https://a.test/x".into())),
            ("a.test", OriginError::Invalid("a.test".into())),
            ("https:///x", OriginError::Invalid("https:///x".into())),
            ("https://bücher.example", OriginError::Invalid("https://bücher.example".into())),
            ("https://a@b.test", OriginError::Invalid("https://a@b.test".into())),
        ] {
            assert_eq!(text.parse::<AllowedOrigins>(), Err(fault), "{text:?}");
        }
    }
}
