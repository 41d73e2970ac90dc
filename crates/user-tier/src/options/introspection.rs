//! `GRPC_AUTH` and `GRPC_TOKEN`: who may ask the pod what it knows.

use std::net::SocketAddr;

use cli::options::{self, Environment, OptionErrors};
use cli::secret;
use lastcall::Token;

use super::Raw;

/// What callers have to present, and whether the operator wants it open to everybody. Where neither is said, only
/// loopback will do.
pub(super) fn callers(
    raw: &Raw,
    address: SocketAddr,
    environment: &dyn Environment,
    errors: &mut OptionErrors,
) -> (Option<Token>, bool) {
    let is_open =
        errors.value_or("GRPC_AUTH", options::choice(&raw.grpc_auth, &[("token", false), ("off", true)]), true);
    let known_faults = errors.clone();
    let token = secret::read_token("GRPC_TOKEN", environment, errors);
    if is_open {
        return (None, true);
    }
    if token.is_none() && !address.ip().is_loopback() && *errors == known_faults {
        errors.push(
            "GRPC_TOKEN",
            format_args!(
                "is required where GRPC_ADDR ({address}) is open to others; make one with `openssl rand -base64 48` and \
                 give it to the admin tier as well, or listen on GRPC_ADDR=127.0.0.1:{}, or say GRPC_AUTH=off",
                address.port()
            ),
        );
    }
    (token, false)
}
