//! The options of the admin tier: what people write, and the values that it becomes.

mod auth;

use std::net::SocketAddr;
use std::time::Duration;

pub use auth::AdminAuth;
use clap::Parser;
use cli::logging::{self, LogFormat};
use cli::options::{self, Environment, Faults};
use cli::secret::{self, Secret};
use fleet::FORGET_AFTER;
use http_support::{Networks, Token};
use maintenance_switch::Place;

use crate::discovery::{self, Discovery};

/// A switch in a file is read this often: an operator who has moved it looks at once.
const SWITCH_POLL: Duration = Duration::from_millis(500);

/// Lastcall's admin tier: asks every user pod and shows operators who is where, and how far each pod has drained.
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "admin-tier", version = cli::version::VERSION, after_help = SECRETS)]
pub struct Raw {
    /// Pages, API, metrics and probes
    #[arg(long, env = "HTTP_ADDR", value_name = "VALUE", hide_env_values = true, default_value = "0.0.0.0:9092")]
    pub http_addr: String,
    /// The pods to ask (required): host:port,host:port or dns://name:port or kubernetes://namespace/service:port
    #[arg(long, env = "USER_PODS", value_name = "VALUE", hide_env_values = true)]
    pub user_pods: Option<String>,
    /// How often the pages renew where scripts are off; where they are on, pages follow what happens
    #[arg(long, env = "REFRESH_INTERVAL", value_name = "VALUE", hide_env_values = true, default_value = "5s")]
    pub refresh_interval: String,
    /// How long a silent pod stays in sight that discovery no longer names, or that has a fixed address; it then moves into
    /// the history
    #[arg(long, env = "FORGET_AFTER", value_name = "VALUE", hide_env_values = true, default_value = "10m")]
    pub forget_after: String,
    /// Who may look and act: `token` (see ADMIN_TOKEN below), `proxy` (whom TRUSTED_USER_HEADER names), `off` (everybody)
    #[arg(long, env = "ADMIN_AUTH", value_name = "VALUE", hide_env_values = true, default_value = "token")]
    pub admin_auth: String,
    /// Header with the operator's name, as a proxy in front passes it on; needs TRUSTED_PROXIES
    #[arg(long, env = "TRUSTED_USER_HEADER", value_name = "VALUE", hide_env_values = true)]
    pub trusted_user_header: Option<String>,
    /// The networks of proxies in front, whose X-Forwarded-* and user header are believed: CIDR, comma separated
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "VALUE", hide_env_values = true)]
    pub trusted_proxies: Option<String>,
    /// The file that the maintenance switch writes, `true` or `false`: the one that the pods read
    #[arg(long, env = "MAINTENANCE_FILE", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_file: Option<String>,
    /// The ConfigMap that the maintenance switch patches, namespace/name, key MAINTENANCE_MODE; overrules MAINTENANCE_FILE
    #[arg(long, env = "MAINTENANCE_CONFIGMAP", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_configmap: Option<String>,
    /// `text` or `json`, on stderr; RUST_LOG filters
    #[arg(long, env = "LOG_FORMAT", value_name = "VALUE", hide_env_values = true, default_value = "text")]
    pub log_format: String,
    /// Checks the options, reports what is wrong, and exits
    #[arg(long)]
    pub check_config: bool,
}

const SECRETS: &str = "Secrets come as a variable or as a file, never as a flag:
  ADMIN_TOKEN, ADMIN_TOKEN_FILE  bearer for scripts, password for the sign-in page [default: unset, no bearer; a link that
                                 signs in once is printed at the start, and again when the sign-in page is asked for one]
  GRPC_TOKEN, GRPC_TOKEN_FILE    what the pods ask their callers for, the same one for all of them
  REDIS_URL, REDIS_URL_FILE      where the pods share sessions; those that no pod holds any more are listed apart then";

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// `HTTP_ADDR`, default `0.0.0.0:9092`.
    pub http: SocketAddr,
    /// `USER_PODS`: where the pods are.
    pub pods: Discovery,
    /// `REFRESH_INTERVAL`, default 5 s: how often the pages renew.
    pub refresh: Duration,
    /// `FORGET_AFTER`, default 10 min: how long a silent pod stays that nobody names, or that has a fixed address.
    pub forget_after: Duration,
    /// `ADMIN_AUTH`, default `token`.
    pub auth: AdminAuth,
    /// `TRUSTED_PROXIES`, default unset: whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Option<Networks>,
    /// `REDIS_URL`, default unset: where the pods share sessions; those that no pod holds are listed apart then.
    pub redis: Option<Secret>,
    /// `GRPC_TOKEN`, default unset: what is presented to the pods.
    pub grpc_token: Option<Token>,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE`, default unset: where the maintenance switch lies that operators
    /// move.
    pub switch: Option<Place>,
    /// `LOG_FORMAT`, default `text`.
    pub log_format: LogFormat,
    /// Variables that are set and mean nothing beside this `ADMIN_AUTH`.
    pub unused: Vec<&'static str>,
}

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
        let forget_after = faults.take("FORGET_AFTER", options::timeout(&raw.forget_after), FORGET_AFTER);
        let (auth, trusted_proxies, unused) = auth::read(raw, environment, &mut faults);
        let redis = redis(environment, &mut faults);
        let grpc_token = secret::read_token("GRPC_TOKEN", environment, &mut faults);
        let (file, config_map) = (raw.maintenance_file.as_deref(), raw.maintenance_configmap.as_deref());
        let switch = cli::maintenance::place(file, config_map, SWITCH_POLL, &mut faults);
        let log_format =
            faults.take("LOG_FORMAT", options::choice(&raw.log_format, &LogFormat::CHOICES), LogFormat::default());
        if let Err(fault) = logging::filter(environment) {
            faults.push("RUST_LOG", fault);
        }
        faults.into_result(Self {
            http,
            pods,
            refresh,
            forget_after,
            auth,
            trusted_proxies,
            unused,
            redis,
            grpc_token,
            switch,
            log_format,
        })
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
        parse_with(flags, &[])
    }

    fn parse_with(flags: &[&str], environment: &[(&'static str, &'static str)]) -> Result<Options, String> {
        let raw = Raw::try_parse_from([&["admin-tier", "--user-pods", "a:1"], flags].concat()).unwrap();
        let environment: HashMap<&str, &str> = environment.iter().copied().collect();
        Options::parse(&raw, &environment).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_token_is_asked_for_unless_something_else_is_said() {
        let options = parse(&[]).unwrap();
        assert!(matches!(options.auth, AdminAuth::Token(None)) && options.unused.is_empty());
        let options = parse_with(&[], &[("ADMIN_TOKEN", "opener"), ("GRPC_TOKEN", "pods")]).unwrap();
        assert!(matches!(options.auth, AdminAuth::Token(Some(token)) if token.matches("opener")));
        assert!(options.grpc_token.is_some_and(|token| token.matches("pods")));
        let options = parse_with(&["--admin-auth", "off"], &[("ADMIN_TOKEN", "opener")]).unwrap();
        assert!(matches!(options.auth, AdminAuth::Off));
        assert_eq!(options.unused, ["ADMIN_TOKEN"]);
    }

    #[test]
    fn a_proxy_needs_its_header_and_its_networks() {
        let proxy = ["--admin-auth", "proxy", "--trusted-user-header", "X-User", "--trusted-proxies", "10.0.0.0/8"];
        assert!(matches!(parse(&proxy).unwrap().auth, AdminAuth::Proxy(trusted) if trusted.header() == "x-user"));
        assert_eq!(parse(&proxy[2..]).unwrap().unused, ["TRUSTED_USER_HEADER"]);
        let alone = parse(&["--trusted-proxies", "10.0.0.0/8"]).unwrap();
        assert!(alone.trusted_proxies.is_some() && alone.unused.is_empty(), "they say scheme and host as well");
        for (flags, variable) in [
            (&proxy[..2], "ADMIN_AUTH: `proxy` needs"),
            (&proxy[..4], "TRUSTED_PROXIES: is needed"),
            (&proxy[2..4], "TRUSTED_PROXIES: is needed"),
            (&["--admin-auth", "proxy", "--trusted-proxies", "::/0"], "ADMIN_AUTH: `proxy` needs TRUSTED_USER_HEADER"),
            (&["--admin-auth", "basic"], "ADMIN_AUTH: \"basic\" is not known; it is one of token, proxy, off"),
        ] {
            let fault = parse(flags).unwrap_err();
            assert!(fault.starts_with(variable) && fault.lines().count() == 1, "{fault}");
        }
    }

    #[test]
    fn tokens_that_cannot_be_presented_are_named_and_not_shown() {
        let faults = parse_with(&[], &[("ADMIN_TOKEN", "a\u{e4}b"), ("GRPC_TOKEN", " pods")]).unwrap_err();
        let named: Vec<_> = faults.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(named, ["ADMIN_TOKEN", "GRPC_TOKEN"]);
        assert!(!faults.contains("a\u{e4}b") && !faults.contains("pods"), "{faults}");
        let fault = parse_with(&[], &[("ADMIN_TOKEN", "a"), ("ADMIN_TOKEN_FILE", "/b")]).unwrap_err();
        assert!(fault.starts_with("ADMIN_TOKEN: is given here and by ADMIN_TOKEN_FILE"), "{fault}");
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let raw =
            ["admin-tier", "--http-addr", "x", "--refresh-interval", "1ms", "--log-format", "xml", "--admin-auth", "y"];
        let faults = Options::parse(&Raw::try_parse_from(raw).unwrap(), &HashMap::new()).unwrap_err().to_string();
        for variable in ["HTTP_ADDR", "USER_PODS", "REFRESH_INTERVAL", "LOG_FORMAT", "ADMIN_AUTH"] {
            assert_eq!(faults.lines().filter(|line| line.starts_with(variable)).count(), 1, "{faults}");
        }
    }
}
