//! The options that both tiers have, each defined once: its flag, help text, default, and the value that it becomes.

use std::time::Duration;

use clap::Args;
use maintenance_switch::SwitchLocation;

use crate::logging::{self, LogFormat};
use crate::maintenance;
use crate::options::{self, Environment, OptionErrors};
use crate::proxy_options::{self, ProxyOptions};
use crate::secret::help::SecretOption;

/// `GRPC_TOKEN`, which authenticates the admin tier to the pods.
pub const GRPC_TOKEN: SecretOption = SecretOption {
    variable: "GRPC_TOKEN",
    meaning: "the token that callers of a pod's GRPC_ADDR present as `authorization: Bearer`; the same for all pods and the \
              admin tier. Health checks need none",
    default: "unset: pods then accept callers without a token, and need a loopback GRPC_ADDR or GRPC_AUTH=off",
};

/// How the log is written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// Format of the log on stderr: `text` or `json`; RUST_LOG filters
    #[arg(long, env, default_value_t = options::word(&LogFormat::CHOICES, LogFormat::default()))]
    pub log_format: String,
}

impl LogArgs {
    /// Parses `LOG_FORMAT`, and validates `RUST_LOG`.
    pub fn read(&self, environment: &dyn Environment, errors: &mut OptionErrors) -> LogFormat {
        let mut format = LogFormat::default();
        errors.set(&mut format, "LOG_FORMAT", options::choice(&self.log_format, &LogFormat::CHOICES));
        if let Err(error) = logging::filter(environment) {
            errors.push("RUST_LOG", error);
        }
        format
    }
}

/// Which proxies are trusted, and with what.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Proxies")]
pub struct ProxyArgs {
    /// Networks of the proxies in front (CIDR, comma separated): X-Forwarded-*, Forwarded and TRUSTED_USER_HEADER are believed
    /// from these peers only. Unset: the scheme is believed from every peer, the host from none
    #[arg(long, env)]
    pub trusted_proxies: Option<String>,
    /// Header in which a proxy in front passes on the user's name; needs TRUSTED_PROXIES
    #[arg(long, env)]
    pub trusted_user_header: Option<String>,
}

impl ProxyArgs {
    /// Parses both options.
    pub fn read(&self, errors: &mut OptionErrors) -> ProxyOptions {
        proxy_options::read(self.trusted_user_header.as_deref(), self.trusted_proxies.as_deref(), errors)
    }
}

/// Where the maintenance switch is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Maintenance")]
pub struct SwitchArgs {
    /// File that contains the maintenance switch, `true` or `false`, such as a key of a mounted ConfigMap: pods read it, the
    /// admin tier writes it
    #[arg(long, env)]
    pub maintenance_file: Option<String>,
    /// ConfigMap (namespace/name) whose key MAINTENANCE_MODE is the maintenance switch: pods watch it, the admin tier patches
    /// it; overrides MAINTENANCE_FILE
    #[arg(long, env)]
    pub maintenance_configmap: Option<String>,
}

impl SwitchArgs {
    /// Parses both options. `poll` is how often a file is read.
    pub fn read(&self, poll: Duration, errors: &mut OptionErrors) -> Option<SwitchLocation> {
        maintenance::location(self.maintenance_file.as_deref(), self.maintenance_configmap.as_deref(), poll, errors)
    }
}
