//! The options of the user tier: the raw texts and the validated values. One file for each concern.
//!
//! Every option is a flag and an environment variable of the same name. Each is taken as text first, so that all errors are
//! found and reported together. Defaults come from [`lastcall::Config`]; only what the library does not know has its default
//! here.

mod addresses;
mod database;
mod defaults;
mod drain;
mod drain_command;
mod handoff;
mod introspection;
mod maintenance;
mod maintenance_page;
mod pod;
mod raw;
mod requests;
mod sessions;
mod store;
mod streams;
#[cfg(test)]
mod tests;
mod upstream;

use cli::logging::LogFormat;
use cli::options::{Environment, OptionErrors};
use lastcall::Config;

use crate::chat::RelayAddress;

pub use addresses::{Addresses, Probes};
pub use database::DatabaseOptions;
pub use drain::DATABASE_CLOSE_TIMEOUT;
pub use drain_command::{DrainOptions, RawDrain};
pub use maintenance::SwitchOptions;
pub use maintenance_page::{PageOptions, RawPage};
pub use raw::{Mode, Raw};
pub use upstream::UpstreamOptions;

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the pod listens.
    pub addresses: Addresses,
    /// Where notes are kept.
    pub database: DatabaseOptions,
    /// The app that this pod stands in front of: `UPSTREAM_URL`. None: the sample app.
    pub upstream: Option<UpstreamOptions>,
    /// How the service behaves.
    pub service: Config,
    /// `MAX_STREAMS`; none: as many event streams as the memory limit allows.
    pub max_streams: Option<u64>,
    /// What relays the chat between pods: `REDIS_URL`.
    pub chat_relay: Option<RelayAddress>,
    /// Whether `GRPC_AUTH` is `off`.
    pub open_introspection: bool,
    /// Where the maintenance switch is.
    pub switch: SwitchOptions,
    /// Whether the signing key is random because `SESSION_KEY` is unset.
    pub random_key: bool,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
}

impl Options {
    /// Validates the options.
    ///
    /// # Errors
    /// All invalid options, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let mut service = Config::new(raw.pod.name(environment, &mut errors));
        service.version = cli::version::VERSION.to_owned();
        service.revision = raw.pod.revision(&mut errors);
        let has_upstream = raw.upstream.is_set();
        let addresses = raw.addresses.parse(has_upstream, environment, &mut errors);
        let database = database::read(environment, &mut errors);
        let upstream = raw.upstream.read(&mut errors);
        if has_upstream && database.is_set {
            errors.push(
                "DATABASE_URL",
                "has no effect with UPSTREAM_URL, in front of an app that keeps its own data; unset it",
            );
        }
        raw.drain.apply(&mut service, database.is_set, &mut errors);
        raw.sessions.apply(&mut service, has_upstream, &mut errors);
        let max_streams = raw.streams.apply(&mut service, &mut errors);
        raw.requests.apply(&mut service, has_upstream, &mut errors);
        let trusted = raw.proxies.read(&mut errors);
        (service.trusted_proxies, service.trusted_user) = (trusted.proxies, trusted.user);
        let chat_relay = raw.store.apply(&mut service, environment, &mut errors);
        let random_key = sessions::apply_keys(&mut service, environment, &mut errors);
        let has_store = environment.get("REDIS_URL").or(environment.get("REDIS_URL_FILE")).is_some();
        let needs = handoff::Needs { store: has_store, key: !random_key };
        raw.handoff.apply(&mut service, needs, &mut errors);
        let open_introspection = raw.introspection.apply(&mut service, addresses.grpc, environment, &mut errors);
        raw.maintenance.apply(&mut service, &mut errors);
        let switch = raw.maintenance.switch(&mut errors);
        let log_format = raw.log.read(environment, &mut errors);
        errors.into_result(Self {
            addresses,
            database,
            upstream,
            service,
            max_streams,
            chat_relay,
            open_introspection,
            switch,
            random_key,
            log_format,
        })
    }
}
