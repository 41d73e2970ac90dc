//! The options of the admin tier: what people write, and the values that it becomes.

mod auth;

use std::net::SocketAddr;
use std::time::Duration;

pub use auth::AdminAuth;
use clap::Parser;
use cli::common_options::{GRPC_TOKEN, LogArgs, ProxyArgs, SwitchArgs};
use cli::logging::LogFormat;
use cli::options::{self, Environment, OptionErrors, format_duration};
use cli::secret::help::{self, SecretOption};
use cli::secret::{self, SecretString};
use fleet::FORGET_AFTER;
use http_support::{Networks, Token};
use maintenance_switch::SwitchLocation;

use crate::discovery::{self, Discovery};

/// A switch in a file is read this often: an operator who has moved it looks at once.
const SWITCH_POLL: Duration = Duration::from_millis(500);

/// How often the pages renew by default.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// The secrets, as `--help` describes them.
const SECRETS: [SecretOption; 3] = [
    SecretOption {
        variable: "ADMIN_TOKEN",
        meaning: "bearer token for scripts, and the password for the sign-in page",
        default: "unset: no bearer token; a link that signs in once is logged at the start, and again when a user asks for it on \
                  the sign-in page",
    },
    GRPC_TOKEN,
    SecretOption {
        variable: "REDIS_URL",
        meaning: "the Redis that the pods share sessions through, to list sessions that no pod holds any more: redis:// or \
                  rediss://",
        default: "unset: such sessions are not listed",
    },
];

/// Lastcall's admin tier: shows operators which users each pod holds and how far each pod has drained
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "admin-tier", version = cli::version::VERSION, after_help = help::text(&SECRETS))]
pub struct Raw {
    /// Checks the options, reports errors, and exits
    #[arg(long)]
    pub check_config: bool,
    /// Pages, API, metrics and probes
    #[arg(long, env, default_value = "0.0.0.0:9092")]
    pub http_addr: String,
    /// The pods to watch: host:port,host:port or dns://name:port or kubernetes://namespace/service:port [default: none,
    /// required]
    #[arg(long, env)]
    pub user_pods: Option<String>,
    /// How often pages renew where scripts are off; where they are on, pages are updated at once
    #[arg(long, env, default_value_t = format_duration(REFRESH_INTERVAL))]
    pub refresh_interval: String,
    /// How long a silent pod stays listed that discovery no longer names, or that has a fixed address; it then moves into the
    /// history
    #[arg(long, env, default_value_t = format_duration(FORGET_AFTER))]
    pub forget_after: String,
    /// How operators sign in: `token` (see ADMIN_TOKEN below), `proxy` (the operator that TRUSTED_USER_HEADER names), or `off`
    /// (no sign-in)
    #[arg(long, env, default_value = "token")]
    pub admin_auth: String,
    #[command(flatten)]
    proxies: ProxyArgs,
    #[command(flatten)]
    switch: SwitchArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// `HTTP_ADDR`.
    pub http: SocketAddr,
    /// `USER_PODS`: where the pods are.
    pub pods: Discovery,
    /// `REFRESH_INTERVAL`: how often the pages renew.
    pub refresh: Duration,
    /// `FORGET_AFTER`: how long a silent pod stays that nobody names, or that has a fixed address.
    pub forget_after: Duration,
    /// `ADMIN_AUTH`.
    pub auth: AdminAuth,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Option<Networks>,
    /// `REDIS_URL`: where the pods share sessions; those that no pod holds are listed apart then.
    pub redis: Option<SecretString>,
    /// `GRPC_TOKEN`: what is presented to the pods.
    pub grpc_token: Option<Token>,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE`: where the maintenance switch lies that operators
    /// move.
    pub switch: Option<SwitchLocation>,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// Variables that are set and mean nothing beside this `ADMIN_AUTH`.
    pub unused: Vec<&'static str>,
}

impl Options {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = errors.value_or("HTTP_ADDR", options::address(&raw.http_addr), anywhere);
        let pods = match options::non_empty(raw.user_pods.as_deref()) {
            Some(text) => Discovery::parse(text),
            None => Err(discovery::required()),
        };
        let pods = errors.value_or("USER_PODS", pods, Discovery::default());
        let refresh = errors.value_or("REFRESH_INTERVAL", options::interval(&raw.refresh_interval), REFRESH_INTERVAL);
        let forget_after = errors.value_or("FORGET_AFTER", options::timeout(&raw.forget_after), FORGET_AFTER);
        let (auth, trusted_proxies, unused) = auth::read(raw, environment, &mut errors);
        let redis = redis(environment, &mut errors);
        let grpc_token = secret::read_token("GRPC_TOKEN", environment, &mut errors);
        let switch = raw.switch.read(SWITCH_POLL, &mut errors);
        let log_format = raw.log.read(environment, &mut errors);
        errors.into_result(Self {
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
fn redis(environment: &dyn Environment, errors: &mut OptionErrors) -> Option<SecretString> {
    let url = secret::read("REDIS_URL", environment, errors)?;
    let text = url.expose().trim();
    if text.starts_with("redis-cluster://") {
        errors.push("REDIS_URL", "`redis-cluster://` is not looked through in this version yet; leave it out here");
    } else if redis::Client::open(text).is_err() {
        errors.push(
            "REDIS_URL",
            "is no address of a Redis; write redis://host:6379/0 or rediss://user:password@host:6380",
        );
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use clap::CommandFactory as _;

    use super::*;

    fn parse(flags: &[&str]) -> Result<Options, String> {
        parse_with(flags, &[])
    }

    fn parse_with(flags: &[&str], environment: &[(&'static str, &'static str)]) -> Result<Options, String> {
        let raw = Raw::try_parse_from([&["admin-tier", "--user-pods", "a:1"], flags].concat()).unwrap();
        let environment: HashMap<&str, &str> = environment.iter().copied().collect();
        Options::parse(&raw, &environment).map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_page_of_options_is_generated_from_the_help() {
        let page = cli::options_page::render(&Raw::command(), &SECRETS);
        test_support::assert_generated("docs/options-admin-tier.md", &page);
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
        let errors = parse_with(&[], &[("ADMIN_TOKEN", "a\u{e4}b"), ("GRPC_TOKEN", " pods")]).unwrap_err();
        let named: Vec<_> = errors.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(named, ["ADMIN_TOKEN", "GRPC_TOKEN"]);
        assert!(!errors.contains("a\u{e4}b") && !errors.contains("pods"), "{errors}");
        let fault = parse_with(&[], &[("ADMIN_TOKEN", "a"), ("ADMIN_TOKEN_FILE", "/b")]).unwrap_err();
        assert!(fault.starts_with("ADMIN_TOKEN: is given here and by ADMIN_TOKEN_FILE"), "{fault}");
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let raw =
            ["admin-tier", "--http-addr", "x", "--refresh-interval", "1ms", "--log-format", "xml", "--admin-auth", "y"];
        let errors = Options::parse(&Raw::try_parse_from(raw).unwrap(), &HashMap::new()).unwrap_err().to_string();
        for variable in ["HTTP_ADDR", "USER_PODS", "REFRESH_INTERVAL", "LOG_FORMAT", "ADMIN_AUTH"] {
            assert_eq!(errors.lines().filter(|line| line.starts_with(variable)).count(), 1, "{errors}");
        }
    }
}
