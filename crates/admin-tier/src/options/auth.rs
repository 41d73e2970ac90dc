//! `ADMIN_AUTH` and the options that its values need.

use cli::options::{self, Environment, OptionErrors};
use cli::proxy_options::ProxyOptions;
use cli::secret;
use http_support::{Networks, Token, TrustedUser};

use super::Raw;

/// How operators are authenticated (`ADMIN_AUTH`).
#[derive(Clone, Debug)]
pub enum AdminAuth {
    /// By `ADMIN_TOKEN`; without one, by one-time links in the log.
    Token(Option<Token>),
    /// By the name that a proxy in front sends.
    Proxy(TrustedUser),
    /// Not at all.
    Off,
}

#[derive(Clone, Copy)]
enum Mode {
    Token,
    Proxy,
    Off,
}

/// Reads the option and those that belong to it. Also returns which of these are set without effect.
pub(super) fn read(
    raw: &Raw,
    environment: &dyn Environment,
    errors: &mut OptionErrors,
) -> (AdminAuth, Option<Networks>, Vec<&'static str>) {
    let choices = [("token", Mode::Token), ("proxy", Mode::Proxy), ("off", Mode::Off)];
    let known_faults = errors.clone();
    let mode = errors.value_or("ADMIN_AUTH", options::choice(&raw.admin_auth, &choices), Mode::Off);
    let token = secret::read_token("ADMIN_TOKEN", environment, errors);
    let ProxyOptions { proxies, user: trusted } = raw.proxies.read(errors);
    let unused = |is_set: bool, name| is_set.then_some(name);
    let unused_token = unused(token.is_some(), "ADMIN_TOKEN");
    let unused_proxy = unused(trusted.is_some(), "TRUSTED_USER_HEADER");
    let (auth, unused) = match (mode, trusted) {
        (Mode::Token, _) => (AdminAuth::Token(token), unused_proxy.into_iter().collect()),
        (Mode::Proxy, Some(trusted)) => (AdminAuth::Proxy(trusted), unused_token.into_iter().collect()),
        (Mode::Proxy, None) => {
            if *errors == known_faults {
                errors.push(
                    "ADMIN_AUTH",
                    "`proxy` needs TRUSTED_USER_HEADER (the header with the operator's name) and TRUSTED_PROXIES \
                     (the networks that it is believed from)",
                );
            }
            (AdminAuth::Off, Vec::new())
        }
        (Mode::Off, _) => (AdminAuth::Off, unused_token.into_iter().chain(unused_proxy).collect()),
    };
    (auth, proxies, unused)
}
