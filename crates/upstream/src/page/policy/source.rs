//! The sources of a directive, and whether one of them matches an address of our own origin.
//!
//! Where the page's scheme or name is not known for sure, a source matches if it may match: a script that a browser blocks after all
//! does no harm, and a page without it has no notice.

use super::Addresses;

/// One expression of a source list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Nonce(Box<str>),
    StrictDynamic,
    /// `'self'`.
    OwnOrigin,
    /// `https:`, or `*`, which stands for every scheme of the network.
    Scheme(Box<str>),
    Host(Box<HostSource>),
    /// `'none'`, hashes and everything that concerns other things: matches no address.
    Other,
}

/// `https://*.example.com:443/path`; only the host is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostSource {
    scheme: Option<Box<str>>,
    host: Box<str>,
    port: Option<Box<str>>,
    path: Box<str>,
}

/// Whether one of the sources matches this path of our own origin.
pub(super) fn matches_any(sources: &[Source], addresses: Addresses<'_>, path: &str) -> bool {
    sources.iter().any(|source| match source {
        Source::OwnOrigin => true,
        Source::Scheme(scheme) => &**scheme == "*" || scheme_matches(scheme, addresses.is_secure),
        Source::Host(source) => source.matches(addresses, path),
        Source::Nonce(_) | Source::StrictDynamic | Source::Other => false,
    })
}

impl Source {
    pub(super) fn parse(word: &str) -> Self {
        let lower = word.to_ascii_lowercase();
        if let Some(quoted) = lower.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return match quoted {
                "self" => Self::OwnOrigin,
                "strict-dynamic" => Self::StrictDynamic,
                _ => match word.get(7..word.len() - 1) {
                    Some(nonce) if quoted.starts_with("nonce-") && is_base64(nonce) => Self::Nonce(nonce.into()),
                    _ => Self::Other,
                },
            };
        }
        if lower == "*" {
            return Self::Scheme("*".into());
        }
        match lower.strip_suffix(':') {
            Some(scheme) if is_scheme(scheme) => Self::Scheme(scheme.into()),
            _ => HostSource::parse(word).map_or(Self::Other, |source| Self::Host(Box::new(source))),
        }
    }
}

impl HostSource {
    fn parse(word: &str) -> Option<Self> {
        let (scheme, rest) = match word.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()).filter(|scheme| is_scheme(scheme)), rest),
            None => (None, word),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority);
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*[]:".contains(&byte);
        (!host.is_empty() && host.bytes().all(is_valid)).then(|| Self {
            scheme: scheme.map(Into::into),
            host: host.to_ascii_lowercase().into(),
            port: port.map(Into::into),
            path: path.split(['?', '#']).next().unwrap_or_default().into(),
        })
    }

    fn matches(&self, addresses: Addresses<'_>, path: &str) -> bool {
        let scheme_is_right = self.scheme.as_deref().is_none_or(|scheme| scheme_matches(scheme, addresses.is_secure));
        let path_is_right = match &*self.path {
            "" | "/" => true,
            folder if folder.ends_with('/') => path.starts_with(folder),
            file => path == file,
        };
        scheme_is_right
            && path_is_right
            && addresses
                .authorities
                .into_iter()
                .flatten()
                .any(|authority| self.authority_matches(authority, addresses.is_secure))
    }

    fn authority_matches(&self, authority: &str, is_secure: Option<bool>) -> bool {
        let (host, port) = split_port(authority);
        let host = host.to_ascii_lowercase();
        let host_is_right = match self.host.strip_prefix('*') {
            Some("") => true,
            Some(parent) => host.ends_with(parent) && host.len() > parent.len(),
            None => *self.host == host,
        };
        host_is_right
            && match self.port.as_deref() {
                Some("*") => true,
                // `http://host:80` also matches the page over TLS at its default port.
                Some(wanted @ ("80" | "443")) => port.is_none_or(|port| port == wanted || port == "443"),
                Some(wanted) => port == Some(wanted),
                None => match is_secure {
                    Some(true) => matches!(port, None | Some("443")),
                    Some(false) => matches!(port, None | Some("80")),
                    None => matches!(port, None | Some("80" | "443")),
                },
            }
    }
}

/// Whether a scheme in a policy covers the page's own: it also covers the secure one of its kind.
fn scheme_matches(scheme: &str, is_secure: Option<bool>) -> bool {
    match scheme {
        "http" | "ws" => true,
        "https" | "wss" => is_secure != Some(false),
        _ => false,
    }
}

/// Splits `host:port`. The colons of an IPv6 address are inside brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether browsers take the text as a nonce: base64 or base64url.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    !digits.is_empty()
        && text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}
