//! The list of origins whose pages may send requests that change something here (`ALLOWED_ORIGINS`).

use std::str::FromStr;

use thiserror::Error;

use crate::origin::Origin;

/// The origins whose pages may change something here, besides our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Origin>);

/// Why text is not a list of origins. The operator corrects the option.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OriginError {
    /// The list is empty.
    #[error("names no origin; write them like https://app.example.org, comma separated")]
    Empty,
    /// `*` or `null`, which stand for every site.
    #[error(
        "{0:?} would let pages of every site act for their visitors; name each origin, like https://app.example.org"
    )]
    Wildcard(String),
    /// The address of a page, which has a path.
    #[error("{0:?} has a path; an origin ends after the host and port, without a slash: https://app.example.org")]
    HasPath(String),
    /// Any other text that is not an origin.
    #[error(
        "{0:?} is no origin; write scheme, host and if needed port, like https://app.example.org:8443 (names in their xn-- form)"
    )]
    Invalid(String),
}

impl FromStr for AllowedOrigins {
    type Err = OriginError;

    /// Parses a comma separated list.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let origins = parts.map(parse_allowed).collect::<Result<Vec<_>, _>>()?;
        if origins.is_empty() { Err(OriginError::Empty) } else { Ok(Self(origins)) }
    }
}

fn parse_allowed(text: &str) -> Result<Origin, OriginError> {
    if text.eq_ignore_ascii_case("null") || text.contains('*') {
        return Err(OriginError::Wildcard(text.to_owned()));
    }
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    if after_scheme.contains(['/', '?', '#']) && !after_scheme.starts_with('/') {
        return Err(OriginError::HasPath(text.to_owned()));
    }
    Origin::parse(text).ok_or_else(|| OriginError::Invalid(text.to_owned()))
}

impl AllowedOrigins {
    /// Whether the list names this origin.
    pub(crate) fn contains(&self, origin: &Origin) -> bool {
        self.0.contains(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_cannot_be_allowed_is_reported_with_a_correction() {
        let allowed: AllowedOrigins =
            " https://App.example.org:443,http://b.test:8080 , capacitor://localhost".parse().unwrap();
        for (origin, is_allowed) in [
            ("https://app.example.org", true),
            ("http://b.test:8080", true),
            ("capacitor://localhost", true),
            ("http://app.example.org", false),
            ("http://b.test", false),
        ] {
            assert_eq!(allowed.contains(&Origin::parse(origin).unwrap()), is_allowed, "{origin}");
        }
        for (text, fault) in [
            ("", OriginError::Empty),
            (" , ", OriginError::Empty),
            ("*", OriginError::Wildcard("*".into())),
            ("https://*.example.org", OriginError::Wildcard("https://*.example.org".into())),
            ("https://a.test,null", OriginError::Wildcard("null".into())),
            ("https://a.test/", OriginError::HasPath("https://a.test/".into())),
            ("https://a.test/x", OriginError::HasPath("https://a.test/x".into())),
            ("a.test", OriginError::Invalid("a.test".into())),
            ("https:///x", OriginError::Invalid("https:///x".into())),
            ("https://bücher.example", OriginError::Invalid("https://bücher.example".into())),
            ("https://a@b.test", OriginError::Invalid("https://a@b.test".into())),
        ] {
            assert_eq!(text.parse::<AllowedOrigins>(), Err(fault), "{text:?}");
        }
    }
}
