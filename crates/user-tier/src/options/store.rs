//! The options of the store that pods share sessions through.

use std::sync::Arc;

use clap::Args;
use cli::options::{self, Environment, OptionErrors, word};
use cli::secret;
use cli::secret::help::SecretOption;
use lastcall::store::RedisStore;
use lastcall::{Config, ForcedEnd, StoreAtStart};

use super::defaults::DEFAULTS;
use crate::chat::RelayAddress;

const AT_START: [(&str, StoreAtStart); 2] =
    [("optional", StoreAtStart::Optional), ("required", StoreAtStart::Required)];

const FORCED_END: [(&str, ForcedEnd); 2] = [("delete", ForcedEnd::Delete), ("release", ForcedEnd::Release)];

pub(super) const REDIS_URL: SecretOption = SecretOption {
    variable: "REDIS_URL",
    meaning: "where pods share sessions: redis://, rediss:// or redis-cluster://host:port,host:port",
    default: "unset: sessions live in the memory of this pod",
};

/// The options of the store as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Store")]
pub(super) struct StoreArgs {
    /// Whether a pod becomes ready without the store: `optional`: after 3s without an answer; `required`: not until it has
    /// answered once
    #[arg(long, env, default_value_t = word(&AT_START, DEFAULTS.store_at_start))]
    store_at_start: String,
    /// What a forced end does to a shared session: `delete` it, or `release` it: the user continues on another pod. HANDOFF=on
    /// implies `release`
    #[arg(long, env, default_value_t = word(&FORCED_END, DEFAULTS.forced_end))]
    forced_end: String,
}

impl StoreArgs {
    /// Whether `FORCED_END` is `delete`. HANDOFF=on overrules it.
    pub(super) fn deletes_at_forced_end(&self) -> bool {
        options::choice(&self.forced_end, &FORCED_END).is_ok_and(|end| end == ForcedEnd::Delete)
    }

    /// Reads `REDIS_URL` as well, which relays the chat, too. Needs `SESSION_TTL`, which is applied before.
    pub(super) fn apply(
        &self,
        config: &mut Config,
        environment: &dyn Environment,
        errors: &mut OptionErrors,
    ) -> Option<RelayAddress> {
        errors.set(&mut config.store_at_start, "STORE_AT_START", options::choice(&self.store_at_start, &AT_START));
        errors.set(&mut config.forced_end, "FORCED_END", options::choice(&self.forced_end, &FORCED_END));
        let url = secret::read("REDIS_URL", environment, errors)?;
        match RedisStore::new(url.expose(), config.limits.session_ttl) {
            Ok(store) => config.store = Some(Arc::new(store)),
            Err(error) => errors.push("REDIS_URL", error),
        }
        RelayAddress::new(url.expose())
    }
}
