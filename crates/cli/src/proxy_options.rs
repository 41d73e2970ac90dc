//! The options `TRUSTED_PROXIES` and `TRUSTED_USER_HEADER`. The second one needs the first one.

use http::HeaderName;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, ORIGIN, TRANSFER_ENCODING};
use http_support::{Networks, TrustedUser};

use crate::options::{OptionErrors, non_empty};

const USER_HEADER: &str = "TRUSTED_USER_HEADER";
const PROXIES: &str = "TRUSTED_PROXIES";

/// Header fields that have another meaning.
const RESERVED: [HeaderName; 8] =
    [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, ORIGIN, TRANSFER_ENCODING];

/// The parsed options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyOptions {
    /// `TRUSTED_PROXIES`: the networks from which `X-Forwarded-*` and the user's name are trusted.
    pub proxies: Option<Networks>,
    /// `TRUSTED_USER_HEADER`, trusted from those networks.
    pub user: Option<TrustedUser>,
}

/// Parses both options. Adds an error if the header is set without proxies.
pub fn read(header: Option<&str>, proxies: Option<&str>, errors: &mut OptionErrors) -> ProxyOptions {
    let (header, proxies) = (non_empty(header), non_empty(proxies));
    if header.is_some() && proxies.is_none() {
        errors.push(
            PROXIES,
            format_args!("is needed with {USER_HEADER}: name the networks that it is believed from, like 10.0.0.0/8"),
        );
    }
    let header = header.and_then(|text| errors.value_or(USER_HEADER, name(text).map(Some), None));
    let proxies = proxies.and_then(|text| {
        let networks = text.parse::<Networks>().map_err(|error| error.to_string());
        errors.value_or(PROXIES, networks.map(Some), None)
    });
    let user = header.zip(proxies.clone()).map(|(header, proxies)| TrustedUser::new(header, proxies));
    ProxyOptions { proxies, user }
}

fn name(text: &str) -> Result<HeaderName, String> {
    let name: HeaderName =
        text.parse().map_err(|_| format!("{text:?} is no name of a header; write one name, like X-Forwarded-User"))?;
    if RESERVED.contains(&name) {
        return Err(format!("{text:?} says something else already; choose a header of its own, like X-Forwarded-User"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faulty(header: Option<&str>, proxies: Option<&str>) -> Vec<String> {
        let mut errors = OptionErrors::default();
        let read = read(header, proxies, &mut errors);
        let lines: Vec<_> = errors.to_string().lines().map(str::to_owned).collect();
        assert_eq!(read.user.is_some(), lines.is_empty() && header.is_some(), "{lines:?}");
        assert!(read.proxies.is_some() || proxies.is_none() || !lines.is_empty(), "{lines:?}");
        lines.iter().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_header_needs_proxies_and_both_are_validated() {
        let (header, proxies) = (Some("X-Forwarded-User"), Some("10.0.0.0/8, ::1"));
        let none: [&str; 0] = [];
        assert_eq!(faulty(header, proxies), none);
        assert_eq!(faulty(None, None), none);
        assert_eq!(faulty(header, None), ["TRUSTED_PROXIES"]);
        assert_eq!(faulty(header, Some(" ")), ["TRUSTED_PROXIES"]);
        assert_eq!(faulty(None, proxies), none, "proxies are useful without a user header");
        assert_eq!(faulty(Some("X User"), Some("somewhere")), ["TRUSTED_USER_HEADER", "TRUSTED_PROXIES"]);
        assert_eq!(faulty(Some("X-One,X-Two"), None), ["TRUSTED_PROXIES", "TRUSTED_USER_HEADER"]);
        assert_eq!(faulty(Some("Cookie"), proxies), ["TRUSTED_USER_HEADER"]);
    }
}
