//! The options of sessions: which requests start one, how long it lives, and its cookie.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use cli::options::{self, Environment, OptionErrors, format_duration, word};
use cli::secret;
use cli::secret::help::SecretOption;
use lastcall::{Config, CookieName, CookieSecure, SessionScope, SessionStart, SigningKeys};

use super::defaults::DEFAULTS;
use super::upstream;

const SCOPE: [(&str, SessionScope); 2] = [("browser", SessionScope::Browser), ("tab", SessionScope::Tab)];

const START: [(&str, SessionStart); 2] = [("any", SessionStart::Any), ("navigation", SessionStart::Navigation)];

const SECURE: [(&str, CookieSecure); 3] =
    [("auto", CookieSecure::Auto), ("always", CookieSecure::Always), ("never", CookieSecure::Never)];

pub(super) const SESSION_KEY: SecretOption = SecretOption {
    variable: "SESSION_KEY",
    meaning: "what signs the cookies: secrets of at least 32 bytes, comma separated; the first signs, all verify. `shared`: the \
              pods of one Redis agree on a random one",
    default: "random, with a warning",
};

/// The options of sessions as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions")]
pub(super) struct SessionArgs {
    /// Which requests can start a session: `navigation`, or `any`: also a GET whose Accept is absent or */*. POST /login
    /// always can. With UPSTREAM_URL `any` has no effect
    /// [default: any; navigation with UPSTREAM_URL]
    #[arg(long, env)]
    session_start: Option<String>,
    /// `browser`: one session for each cookie jar; `tab`: every opened tab is a session of its own
    #[arg(long, env, default_value_t = word(&SCOPE, DEFAULTS.scope))]
    session_scope: String,
    /// Idle time after which a session without an open connection expires
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.limits.session_ttl))]
    session_ttl: String,
    /// How long a session counts as present after its last connection closed
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.limits.presence_linger))]
    presence_linger: String,
    /// The same for a session that never had a stream, counted from its last request, once its cookie has come back; before
    /// that 5s, or STREAMLESS_LINGER if it is shorter
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.limits.streamless_linger))]
    streamless_linger: String,
    /// Sessions that this pod holds at most, fewer where the limit of open files is lower; above it newcomers get the busy page
    #[arg(long, env, default_value_t = DEFAULTS.limits.max_sessions.to_string())]
    max_sessions: String,
    /// Sessions that one client address may start a minute, and at once; above it newcomers get 429. 0: no limit. Behind proxies set
    /// TRUSTED_PROXIES, else all users count as one
    #[arg(long, env, default_value = "0")]
    newcomers_per_minute: String,
    /// Name of the session cookie, without its prefix [default: session; lastcall_session with UPSTREAM_URL]
    #[arg(long, env)]
    session_cookie: Option<String>,
    /// Whether the cookie is Secure: `auto` (from X-Forwarded-Proto or Forwarded), `always` or `never`
    #[arg(long, env, default_value_t = word(&SECURE, DEFAULTS.cookie_secure))]
    cookie_secure: String,
}

impl SessionArgs {
    pub(super) fn apply(&self, config: &mut Config, has_upstream: bool, errors: &mut OptionErrors) {
        let limits = &mut config.limits;
        errors.set(&mut limits.max_sessions, "MAX_SESSIONS", options::number(&self.max_sessions, 1..=10_000_000));
        let newcomers = options::number(&self.newcomers_per_minute, 0..=1_000_000);
        let newcomers = newcomers.map(|number| u32::try_from(number).ok().and_then(NonZeroU32::new));
        errors.set(&mut config.newcomers_per_minute, "NEWCOMERS_PER_MINUTE", newcomers);
        let ttl = options::duration(&self.session_ttl, Duration::from_secs(1)..=options::MAX_TIMEOUT * 365);
        errors.set(&mut limits.session_ttl, "SESSION_TTL", ttl);
        errors.set(&mut limits.presence_linger, "PRESENCE_LINGER", options::timeout(&self.presence_linger));
        errors.set(&mut limits.streamless_linger, "STREAMLESS_LINGER", options::timeout(&self.streamless_linger));
        errors.set(&mut config.scope, "SESSION_SCOPE", options::choice(&self.session_scope, &SCOPE));
        if let Some(start) = options::non_empty(self.session_start.as_deref()) {
            errors.set(&mut config.session_start, "SESSION_START", options::choice(start, &START));
        } else if has_upstream {
            config.session_start = SessionStart::Navigation;
        }
        let named = options::non_empty(self.session_cookie.as_deref());
        if let Some(name) = named.or(has_upstream.then_some(upstream::SESSION_COOKIE)) {
            let cookie = CookieName::new(name).map_err(|error| format!("{name:?} {error}"));
            errors.set(&mut config.session_cookie, "SESSION_COOKIE", cookie);
        }
        if has_upstream && config.scope == SessionScope::Tab {
            errors.push(
                "SESSION_SCOPE",
                "`tab` does not work with UPSTREAM_URL: the app's own links leave the path of a tab",
            );
        }
        errors.set(&mut config.cookie_secure, "COOKIE_SECURE", options::choice(&self.cookie_secure, &SECURE));
    }
}

/// Reads `SESSION_KEY`. Returns whether the key is random because the option is unset.
pub(super) fn apply_keys(config: &mut Config, environment: &dyn Environment, errors: &mut OptionErrors) -> bool {
    let known_faults = errors.clone();
    let Some(secret) = secret::read("SESSION_KEY", environment, errors) else { return *errors == known_faults };
    if secret.expose().trim() == "shared" {
        // A REDIS_URL that is faulty has been reported already.
        if config.store.is_none() && environment.get("REDIS_URL").or(environment.get("REDIS_URL_FILE")).is_none() {
            errors.push("SESSION_KEY", "`shared` needs REDIS_URL, where the pods agree on a key; or give a secret");
        }
        config.shared_key = true;
        return false;
    }
    let secrets = secret.expose().split(',').map(|secret| secret.trim().as_bytes());
    let keys =
        SigningKeys::from_secrets(secrets).map_err(|weak| format!("{weak}; make one with `openssl rand -base64 48`"));
    errors.set(&mut config.keys, "SESSION_KEY", keys);
    false
}
