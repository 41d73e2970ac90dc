//! The options as they are written: texts, with their defaults, for clap to read and to explain.

use clap::{Args, Parser, Subcommand};

/// Lastcall's user tier: serves the sample app, tracks its users, and drains when it is told to stop.
///
/// Every option is a flag and an environment variable. Durations are written like 60s, 2m or 1h.
#[derive(Clone, Debug, Parser)]
#[command(name = "user-tier", version = cli::version::VERSION, after_help = SECRETS, args_conflicts_with_subcommands = true)]
pub struct Raw {
    /// What to be instead of a pod
    #[command(subcommand)]
    pub mode: Option<Mode>,
    /// Pages, events, probes and (unless METRICS_ADDR is set) metrics
    #[arg(long, env = "HTTP_ADDR", value_name = "VALUE", hide_env_values = true, default_value = "0.0.0.0:9090")]
    pub http_addr: String,
    /// Introspection over gRPC
    #[arg(long, env = "GRPC_ADDR", value_name = "VALUE", hide_env_values = true, default_value = "0.0.0.0:9091")]
    pub grpc_addr: String,
    /// Where set, /metrics is served there and no longer on HTTP_ADDR
    #[arg(long, env = "METRICS_ADDR", value_name = "VALUE", hide_env_values = true)]
    pub metrics_addr: Option<String>,
    /// The name of this pod [default: HOSTNAME, else the host's name]
    #[arg(long, env = "POD_NAME", value_name = "VALUE", hide_env_values = true)]
    pub pod_name: Option<String>,
    /// What the revision of this pod's Deployment is called [default: the version]
    #[arg(long, env = "POD_REVISION", value_name = "VALUE", hide_env_values = true)]
    pub pod_revision: Option<String>,
    /// From the notice to the forced end
    #[arg(long, env = "DRAIN_TIMEOUT", value_name = "VALUE", hide_env_values = true, default_value = "60s")]
    pub drain_timeout: String,
    /// How often the remaining users are logged
    #[arg(long, env = "DRAIN_PROGRESS_INTERVAL", value_name = "VALUE", hide_env_values = true, default_value = "10s")]
    pub drain_progress_interval: String,
    /// From the last user gone to the exit
    #[arg(long, env = "PROPAGATION_WAIT", value_name = "VALUE", hide_env_values = true, default_value = "15s")]
    pub propagation_wait: String,
    /// What the pod spec grants; where set, DRAIN_TIMEOUT + PROPAGATION_WAIT + 5s must fit
    #[arg(long, env = "TERMINATION_GRACE_PERIOD", value_name = "VALUE", hide_env_values = true)]
    pub termination_grace_period: Option<String>,
    /// `hurry`: a second signal ends the waiting; `ignore`: it is logged only
    #[arg(long, env = "SECOND_SIGNAL", value_name = "VALUE", hide_env_values = true, default_value = "hurry")]
    pub second_signal: String,
    /// How long a session counts as present after its last connection closed
    #[arg(long, env = "PRESENCE_LINGER", value_name = "VALUE", hide_env_values = true, default_value = "10s")]
    pub presence_linger: String,
    /// The same for a session that never had a stream, counted from its last request, once its cookie has come back; 5s before
    /// that, or less
    #[arg(long, env = "STREAMLESS_LINGER", value_name = "VALUE", hide_env_values = true, default_value = "60s")]
    pub streamless_linger: String,
    /// `fail`: /ready is 503 after SIGTERM; `hold`: 200 until the last user is gone
    #[arg(
        long,
        env = "READINESS_WHILE_DRAINING",
        value_name = "VALUE",
        hide_env_values = true,
        default_value = "fail"
    )]
    pub readiness_while_draining: String,
    /// Whether browsers leave by themselves at the end of the countdown
    #[arg(long, env = "AUTO_LOGOUT", value_name = "VALUE", hide_env_values = true, default_value = "true")]
    pub auto_logout: String,
    /// Idle time after which a session without an open connection expires
    #[arg(long, env = "SESSION_TTL", value_name = "VALUE", hide_env_values = true, default_value = "1h")]
    pub session_ttl: String,
    /// `optional`: ready after 3s without the store of REDIS_URL; `required`: not ready until it has answered once
    #[arg(long, env = "STORE_AT_START", value_name = "VALUE", hide_env_values = true, default_value = "optional")]
    pub store_at_start: String,
    /// What a forced end does to a shared session: `delete` it, or `release` it to another pod
    #[arg(long, env = "FORCED_END", value_name = "VALUE", hide_env_values = true, default_value = "delete")]
    pub forced_end: String,
    /// `browser`: one session for a cookie jar; `tab`: every opened tab is a session of its own
    #[arg(long, env = "SESSION_SCOPE", value_name = "VALUE", hide_env_values = true, default_value = "browser")]
    pub session_scope: String,
    /// Which requests can start a session: `navigation`, or `any`: also a GET whose Accept is absent or */*
    #[arg(long, env = "SESSION_START", value_name = "VALUE", hide_env_values = true, default_value = "any")]
    pub session_start: String,
    /// Name of the session cookie, without its prefix
    #[arg(long, env = "SESSION_COOKIE", value_name = "VALUE", hide_env_values = true, default_value = "session")]
    pub session_cookie: String,
    /// Path in front of /login, /logout, /session, /events and /assets/lastcall.js, without a slash at its end, like /_lastcall
    #[arg(long, env = "ROUTE_PREFIX", value_name = "VALUE", hide_env_values = true)]
    pub route_prefix: Option<String>,
    /// `auto` (from X-Forwarded-Proto or Forwarded), `always` or `never`
    #[arg(long, env = "COOKIE_SECURE", value_name = "VALUE", hide_env_values = true, default_value = "auto")]
    pub cookie_secure: String,
    /// Sessions this pod holds; above it newcomers get the busy page
    #[arg(long, env = "MAX_SESSIONS", value_name = "VALUE", hide_env_values = true, default_value = "100000")]
    pub max_sessions: String,
    /// Open event streams of one session; one more ends the oldest
    #[arg(long, env = "MAX_STREAMS_PER_SESSION", value_name = "VALUE", hide_env_values = true, default_value = "20")]
    pub max_streams_per_session: String,
    /// Open event streams of all sessions together; above it /events answers 503 [default: as many as fit into the memory
    /// limit of the container, 100000 where there is none]
    #[arg(long, env = "MAX_STREAMS", value_name = "VALUE", hide_env_values = true)]
    pub max_streams: Option<String>,
    /// How long an idle connection is kept; longer than the pools of proxies in front keep theirs
    #[arg(long, env = "KEEP_ALIVE_TIMEOUT", value_name = "VALUE", hide_env_values = true, default_value = "75s")]
    pub keep_alive_timeout: String,
    /// Heartbeat on event streams
    #[arg(long, env = "HEARTBEAT_INTERVAL", value_name = "VALUE", hide_env_values = true, default_value = "15s")]
    pub heartbeat_interval: String,
    /// Header with the user's name, as a proxy in front passes it on; needs TRUSTED_PROXIES
    #[arg(long, env = "TRUSTED_USER_HEADER", value_name = "VALUE", hide_env_values = true)]
    pub trusted_user_header: Option<String>,
    /// The networks of proxies in front, whose X-Forwarded-* and user header are believed: CIDR, comma separated
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "VALUE", hide_env_values = true)]
    pub trusted_proxies: Option<String>,
    /// Origins whose pages may post here besides our own, like `https://www.example.org`, comma separated
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "VALUE", hide_env_values = true)]
    pub allowed_origins: Option<String>,
    /// `token`: callers of GRPC_ADDR present GRPC_TOKEN, which only loopback can do without; `off`: everybody may ask
    #[arg(long, env = "GRPC_AUTH", value_name = "VALUE", hide_env_values = true, default_value = "token")]
    pub grpc_auth: String,
    /// The maintenance switch at the start: `true` or `false`
    #[arg(long, env = "MAINTENANCE_MODE", value_name = "VALUE", hide_env_values = true, default_value = "false")]
    pub maintenance_mode: String,
    /// A file that says `true` or `false`, like a key of a mounted ConfigMap; overrules MAINTENANCE_MODE
    #[arg(long, env = "MAINTENANCE_FILE", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_file: Option<String>,
    /// A ConfigMap, namespace/name, whose key MAINTENANCE_MODE is watched; overrules MAINTENANCE_FILE
    #[arg(long, env = "MAINTENANCE_CONFIGMAP", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_configmap: Option<String>,
    /// How often MAINTENANCE_FILE is read
    #[arg(long, env = "MAINTENANCE_POLL", value_name = "VALUE", hide_env_values = true, default_value = "5s")]
    pub maintenance_poll: String,
    /// When /ready fails in maintenance: `after-drain` (the last user is gone), `immediate` or `never`
    #[arg(
        long,
        env = "MAINTENANCE_READINESS",
        value_name = "VALUE",
        hide_env_values = true,
        default_value = "after-drain"
    )]
    pub maintenance_readiness: String,
    /// `Retry-After` of the maintenance page, which names this time to users only where it is set [default: 30m]
    #[arg(long, env = "MAINTENANCE_RETRY_AFTER", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_retry_after: Option<String>,
    /// `text` or `json`, on stderr; RUST_LOG filters
    #[arg(long, env = "LOG_FORMAT", value_name = "VALUE", hide_env_values = true, default_value = "text")]
    pub log_format: String,
    /// Checks the options, reports what is wrong, and exits
    #[arg(long)]
    pub check_config: bool,
}

const SECRETS: &str = "Secrets come as a variable or as a file, never as a flag:
  SESSION_KEY, SESSION_KEY_FILE  what signs the cookies: secrets of at least 32 bytes, comma separated; the first
                                 signs, all verify; `shared`: the pods of one Redis agree on one there
                                 [default: random, with a warning]
  REDIS_URL, REDIS_URL_FILE      where sessions are shared: redis://, rediss:// or redis-cluster://host:port,host:port
                                 [default: unset, sessions live in the memory of this pod]
  GRPC_TOKEN, GRPC_TOKEN_FILE    what callers of GRPC_ADDR present as `authorization: Bearer`; the same one for all pods
                                 and the admin tier. Health is open without
                                 [default: unset, which only loopback or GRPC_AUTH=off can do without]";

/// What the binary can be instead of a pod.
#[derive(Clone, Debug, Subcommand)]
pub enum Mode {
    /// Serves the maintenance page and nothing else: a backend of its own, for when no pod is left in the Service
    MaintenancePage(RawPage),
}

/// The options of the maintenance page as they are written.
#[derive(Args, Clone, Debug)]
pub struct RawPage {
    /// The page, and /health and /ready, which say 200
    #[arg(long, env = "HTTP_ADDR", value_name = "VALUE", hide_env_values = true, default_value = "0.0.0.0:9090")]
    pub http_addr: String,
    /// `Retry-After` of the page, which names this time to users only where it is set [default: 30m]
    #[arg(long, env = "MAINTENANCE_RETRY_AFTER", value_name = "VALUE", hide_env_values = true)]
    pub maintenance_retry_after: Option<String>,
    /// What ROUTE_PREFIX of the pods is
    #[arg(long, env = "ROUTE_PREFIX", value_name = "VALUE", hide_env_values = true)]
    pub route_prefix: Option<String>,
    /// Whether /health, /ready and /metrics are 404, for routes that lead here what nobody outside is to see
    #[arg(long, env = "HIDE_PROBES", value_name = "VALUE", hide_env_values = true, default_value = "false")]
    pub hide_probes: String,
    /// `text` or `json`, on stderr; RUST_LOG filters
    #[arg(long, env = "LOG_FORMAT", value_name = "VALUE", hide_env_values = true, default_value = "text")]
    pub log_format: String,
    /// Checks the options, reports what is wrong, and exits
    #[arg(long)]
    pub check_config: bool,
}
