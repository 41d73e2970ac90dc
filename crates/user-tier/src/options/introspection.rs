//! `GRPC_AUTH` and `GRPC_TOKEN`: how callers of the gRPC API authenticate.

use std::net::SocketAddr;

use clap::Args;
use cli::options::{self, Environment, OptionErrors};
use cli::secret;
use lastcall::Config;

/// The words of `GRPC_AUTH`, and whether each opens the API to every caller. The first is the default.
const AUTH: [(&str, bool); 2] = [("token", false), ("off", true)];

/// The options of the gRPC API as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Introspection")]
pub(super) struct IntrospectionArgs {
    /// `token`: callers of GRPC_ADDR present GRPC_TOKEN, which is required unless GRPC_ADDR is a loopback address; `off`: no
    /// authentication
    #[arg(long, env, default_value = AUTH[0].0)]
    grpc_auth: String,
}

impl IntrospectionArgs {
    /// Returns whether the operator has opened the API to every caller. Without that and without a token only a loopback address
    /// is accepted.
    pub(super) fn apply(
        &self,
        config: &mut Config,
        address: SocketAddr,
        environment: &dyn Environment,
        errors: &mut OptionErrors,
    ) -> bool {
        let is_open = errors.value_or("GRPC_AUTH", options::choice(&self.grpc_auth, &AUTH), true);
        let known_faults = errors.clone();
        let token = secret::read_token("GRPC_TOKEN", environment, errors);
        if is_open {
            return true;
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
        config.grpc_token = token;
        false
    }
}
