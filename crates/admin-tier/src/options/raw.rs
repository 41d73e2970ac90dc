//! The options as they are written on the command line and in the environment, with their help texts.

use clap::Parser;

/// Lastcall's admin tier: shows operators the sessions of all user pods, and how far each pod has drained.
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "admin-tier", version = cli::version::VERSION, after_help = SECRETS)]
pub struct Raw {
    /// Pages, API, metrics and probes
    #[arg(long, env = "HTTP_ADDR", value_name = "VALUE", hide_env_values = true, default_value = "0.0.0.0:9092")]
    pub http_addr: String,
    /// The user pods (required): host:port,host:port or dns://name:port or kubernetes://namespace/service:port
    #[arg(long, env = "USER_PODS", value_name = "VALUE", hide_env_values = true)]
    pub user_pods: Option<String>,
    /// How often pages reload in browsers without scripts; with scripts, pages follow changes at once
    #[arg(long, env = "REFRESH_INTERVAL", value_name = "VALUE", hide_env_values = true, default_value = "5s")]
    pub refresh_interval: String,
    /// How long a silent pod stays listed that discovery no longer names, or that has a fixed address; it then moves into the
    /// history
    #[arg(long, env = "FORGET_AFTER", value_name = "VALUE", hide_env_values = true, default_value = "10m")]
    pub forget_after: String,
    /// Who may view and change everything: `token` (see ADMIN_TOKEN below), `proxy` (users whom TRUSTED_USER_HEADER names),
    /// `off` (everybody)
    #[arg(long, env = "ADMIN_AUTH", value_name = "VALUE", hide_env_values = true, default_value = "token")]
    pub admin_auth: String,
    /// Header in which a proxy in front sends the operator's name; needs TRUSTED_PROXIES
    #[arg(long, env = "TRUSTED_USER_HEADER", value_name = "VALUE", hide_env_values = true)]
    pub trusted_user_header: Option<String>,
    /// Networks of the proxies in front, whose X-Forwarded-* and user header are believed: CIDR, comma separated
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "VALUE", hide_env_values = true)]
    pub trusted_proxies: Option<String>,
    /// File that the maintenance switch writes, `true` or `false`: the one that the pods read
    #[arg(long, env = "MAINTENANCE_FILE", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_file: Option<String>,
    /// ConfigMap that the maintenance switch patches, namespace/name, key MAINTENANCE_MODE; overrules MAINTENANCE_FILE
    #[arg(long, env = "MAINTENANCE_CONFIGMAP", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_configmap: Option<String>,
    /// `text` or `json`, on stderr; RUST_LOG filters
    #[arg(long, env = "LOG_FORMAT", value_name = "VALUE", hide_env_values = true, default_value = "text")]
    pub log_format: String,
    /// Checks the options, reports faults, and exits
    #[arg(long)]
    pub check_config: bool,
}

const SECRETS: &str = "Secrets come as a variable or as a file, never as a flag:
  ADMIN_TOKEN, ADMIN_TOKEN_FILE  bearer for scripts, password for the sign-in page [default: unset, no bearer; a link that
                                 signs in once is printed at the start, and again when the sign-in page is asked for one]
  GRPC_TOKEN, GRPC_TOKEN_FILE    the token that the pods require, the same for all of them
  REDIS_URL, REDIS_URL_FILE      the store that the pods share; sessions in it that no pod holds are listed as orphans";
