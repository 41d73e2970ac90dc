//! `ADMIN_AUTH`, and what each of its words needs.

use cli::options::{self, Environment, OptionErrors};
use cli::proxy_options::ProxyOptions;
use cli::secret;
use http_support::{Networks, Token, TrustedUser};

use super::Raw;

/// Who may look and act (`ADMIN_AUTH`).
#[derive(Clone, Debug)]
pub enum AdminAuth {
    /// Who knows `ADMIN_TOKEN`; where there is none, who can read the log.
    Token(Option<Token>),
    /// Whom a proxy in front names.
    Proxy(TrustedUser),
    /// Everybody.
    Off,
}

#[derive(Clone, Copy)]
enum Word {
    Token,
    Proxy,
    Off,
}

/// Reads the option and those that belong to it; also which of these mean nothing beside it.
pub(super) fn read(
    raw: &Raw,
    environment: &dyn Environment,
    errors: &mut OptionErrors,
) -> (AdminAuth, Option<Networks>, Vec<&'static str>) {
    let choices = [("token", Word::Token), ("proxy", Word::Proxy), ("off", Word::Off)];
    let known_faults = errors.clone();
    let word = errors.value_or("ADMIN_AUTH", options::choice(&raw.admin_auth, &choices), Word::Off);
    let token = secret::read_token("ADMIN_TOKEN", environment, errors);
    let ProxyOptions { proxies, user: trusted } = raw.proxies.read(errors);
    let unused = |is_set: bool, name| is_set.then_some(name);
    let unused_token = unused(token.is_some(), "ADMIN_TOKEN");
    let unused_proxy = unused(trusted.is_some(), "TRUSTED_USER_HEADER");
    let (auth, unused) = match (word, trusted) {
        (Word::Token, _) => (AdminAuth::Token(token), unused_proxy.into_iter().collect()),
        (Word::Proxy, Some(trusted)) => (AdminAuth::Proxy(trusted), unused_token.into_iter().collect()),
        (Word::Proxy, None) => {
            if *errors == known_faults {
                errors.push(
                    "ADMIN_AUTH",
                    "`proxy` needs TRUSTED_USER_HEADER (the header with the operator's name) and TRUSTED_PROXIES \
                     (the networks that it is believed from)",
                );
            }
            (AdminAuth::Off, Vec::new())
        }
        (Word::Off, _) => (AdminAuth::Off, unused_token.into_iter().chain(unused_proxy).collect()),
    };
    (auth, proxies, unused)
}
