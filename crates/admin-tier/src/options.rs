//! The options of the admin tier: what people write, and the values that it becomes.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use launch::logging::{self, LogFormat};
use launch::options::{self, Environment, Faults};
use launch::secret::{self, Secret};

use crate::discovery::{self, Discovery};

/// Lastcall's admin tier: asks every user pod and shows operators who is where, and how far each pod has drained.
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "admin-tier", version = launch::version::VERSION, after_help = SECRETS)]
pub struct Raw {
    /// Pages, API, metrics and probes
    #[arg(long, env = "HTTP_ADDR", value_name = "VALUE", hide_env_values = true, default_value = "0.0.0.0:9092")]
    pub http_addr: String,
    /// The pods to ask (required): host:port,host:port or dns://name:port or kubernetes://namespace/service:port
    #[arg(long, env = "USER_PODS", value_name = "VALUE", hide_env_values = true)]
    pub user_pods: Option<String>,
    /// How often the pages renew
    #[arg(long, env = "REFRESH_INTERVAL", value_name = "VALUE", hide_env_values = true, default_value = "5s")]
    pub refresh_interval: String,
    /// Who may look: `token` (not in this version yet: on loopback only, without sign-in) or `off`
    #[arg(long, env = "ADMIN_AUTH", value_name = "VALUE", hide_env_values = true, default_value = "token")]
    pub admin_auth: String,
    /// `text` or `json`, on stderr; RUST_LOG filters
    #[arg(long, env = "LOG_FORMAT", value_name = "VALUE", hide_env_values = true, default_value = "text")]
    pub log_format: String,
    /// Checks the options, reports what is wrong, and exits
    #[arg(long)]
    pub check_config: bool,
}

const SECRETS: &str = "Secrets come as a variable or as a file, never as a flag:
  REDIS_URL, REDIS_URL_FILE  where the pods share sessions; those that no pod holds any more are listed apart then";

/// Who may look (`ADMIN_AUTH`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminAuth {
    /// Who signs in; until there is a sign-in, who sits at this machine.
    Token,
    /// Who a proxy in front has let in.
    Proxy,
    /// Everybody.
    Off,
}

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// `HTTP_ADDR`, default `0.0.0.0:9092`.
    pub http: SocketAddr,
    /// `USER_PODS`: where the pods are.
    pub pods: Discovery,
    /// `REFRESH_INTERVAL`, default 5 s: how often the pages renew.
    pub refresh: Duration,
    /// `ADMIN_AUTH`, default `token`.
    pub auth: AdminAuth,
    /// `REDIS_URL`, default unset: where the pods share sessions; those that no pod holds are listed apart then.
    pub redis: Option<Secret>,
    /// `LOG_FORMAT`, default `text`.
    pub log_format: LogFormat,
    /// Variables that are set and that this version has no use for yet.
    pub not_yet: Vec<&'static str>,
}

/// What later versions will know.
const NOT_YET: [&str; 8] = [
    "ADMIN_TOKEN",
    "ADMIN_TOKEN_FILE",
    "GRPC_TOKEN",
    "GRPC_TOKEN_FILE",
    "MAINTENANCE_CONFIGMAP",
    "MAINTENANCE_FILE",
    "TRUSTED_PROXIES",
    "TRUSTED_USER_HEADER",
];

impl Options {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = faults.take("HTTP_ADDR", options::address(&raw.http_addr), anywhere);
        let pods = match options::given(raw.user_pods.as_deref()) {
            Some(text) => Discovery::parse(text),
            None => Err(discovery::required()),
        };
        let pods = faults.take("USER_PODS", pods, Discovery::default());
        let refresh = faults.take("REFRESH_INTERVAL", options::interval(&raw.refresh_interval), Duration::from_secs(5));
        let choices = [("token", AdminAuth::Token), ("proxy", AdminAuth::Proxy), ("off", AdminAuth::Off)];
        let auth = faults.take("ADMIN_AUTH", options::choice(&raw.admin_auth, &choices), AdminAuth::Off);
        match auth {
            AdminAuth::Token if !http.ip().is_loopback() => faults.push(
                "ADMIN_AUTH",
                format_args!(
                    "`token` has no sign-in in this version yet, and {http} is open to others; \
                     listen on HTTP_ADDR=127.0.0.1:{} or say ADMIN_AUTH=off",
                    http.port()
                ),
            ),
            AdminAuth::Proxy => faults.push("ADMIN_AUTH", "`proxy` is not in this version yet; say `off` or `token`"),
            AdminAuth::Token | AdminAuth::Off => {}
        }
        let redis = redis(environment, &mut faults);
        let log_format =
            faults.take("LOG_FORMAT", options::choice(&raw.log_format, &LogFormat::CHOICES), LogFormat::default());
        if let Err(fault) = logging::filter(environment) {
            faults.push("RUST_LOG", fault);
        }
        let not_yet = NOT_YET.into_iter().filter(|name| environment.get(name).is_some()).collect();
        faults.into_result(Self { http, pods, refresh, auth, redis, log_format, not_yet })
    }
}

/// Where sessions are shared.
fn redis(environment: &dyn Environment, faults: &mut Faults) -> Option<Secret> {
    let url = secret::read("REDIS_URL", environment, faults)?;
    let text = url.expose().trim();
    if text.starts_with("redis-cluster://") {
        faults.push("REDIS_URL", "`redis-cluster://` is not looked through in this version yet; leave it out here");
    } else if redis::Client::open(text).is_err() {
        faults.push(
            "REDIS_URL",
            "is no address of a Redis; write redis://host:6379/0 or rediss://user:password@host:6380",
        );
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn parse(flags: &[&str]) -> Result<Options, String> {
        let raw = Raw::try_parse_from([&["admin-tier"], flags].concat()).unwrap();
        Options::parse(&raw, &HashMap::new()).map_err(|faults| faults.to_string())
    }

    #[test]
    fn without_a_sign_in_only_loopback_or_an_open_word_will_do() {
        let fault = parse(&["--user-pods", "a:1"]).unwrap_err();
        assert!(fault.starts_with("ADMIN_AUTH: ") && fault.contains("127.0.0.1:9092"), "{fault}");
        assert!(parse(&["--user-pods", "a:1", "--admin-auth", "off"]).is_ok());
        assert!(parse(&["--user-pods", "a:1", "--http-addr", "127.0.0.1:9092"]).is_ok());
        assert!(parse(&["--user-pods", "a:1", "--admin-auth", "proxy"]).is_err());
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let faults = parse(&["--http-addr", "x", "--refresh-interval", "1ms", "--log-format", "xml"]).unwrap_err();
        for variable in ["HTTP_ADDR", "USER_PODS", "REFRESH_INTERVAL", "LOG_FORMAT"] {
            assert_eq!(faults.lines().filter(|line| line.starts_with(variable)).count(), 1, "{faults}");
        }
    }
}
