//! The options of the user tier: what operators write, and the checked values that it becomes. One file for each concern.
//!
//! Every option is a flag and an environment variable of the same name. Each is taken as text first, so that all faults are
//! found and reported together. Defaults come from [`lastcall::Config`]; only what the library does not know has its default
//! here.

mod addresses;
mod drain;
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

use cli::logging::LogFormat;
use cli::options::{Environment, Faults};
use lastcall::Config;

pub use addresses::Addresses;
pub use maintenance::SwitchOptions;
pub use maintenance_page::{PageOptions, RawPage};
pub use raw::{Mode, Raw};

/// The options, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the pod listens.
    pub addresses: Addresses,
    /// How the service behaves.
    pub service: Config,
    /// `MAX_STREAMS`; none: as many event streams as the memory limit allows.
    pub max_streams: Option<u64>,
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
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &Raw, environment: &dyn Environment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut service = Config::new(raw.pod.name(environment, &mut faults));
        service.version = cli::version::VERSION.to_owned();
        service.revision = raw.pod.revision(&mut faults);
        let addresses = raw.addresses.parse(&mut faults);
        raw.drain.apply(&mut service, &mut faults);
        raw.sessions.apply(&mut service, &mut faults);
        let max_streams = raw.streams.apply(&mut service, &mut faults);
        raw.requests.apply(&mut service, &mut faults);
        let trusted = raw.proxies.read(&mut faults);
        (service.trusted_proxies, service.trusted_user) = (trusted.proxies, trusted.user);
        raw.store.apply(&mut service, environment, &mut faults);
        let random_key = sessions::apply_keys(&mut service, environment, &mut faults);
        let open_introspection = raw.introspection.apply(&mut service, addresses.grpc, environment, &mut faults);
        raw.maintenance.apply(&mut service, &mut faults);
        let switch = raw.maintenance.switch(&mut faults);
        let log_format = raw.log.read(environment, &mut faults);
        faults.into_result(Self { addresses, service, max_streams, open_introspection, switch, random_key, log_format })
    }
}
