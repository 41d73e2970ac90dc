//! The options of maintenance: where the switch lies, what follows from it, and those of the page on its own.

use std::net::SocketAddr;
use std::time::Duration;

use cli::logging::{self, LogFormat};
use cli::options::{self, Environment, Faults};
use lastcall::{MaintenanceReadiness, RoutePrefix};
use maintenance_switch::Place;

use super::raw::{Raw, RawPage};

/// Where the maintenance switch lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchOptions {
    /// `MAINTENANCE_MODE`, default off: where it stands until its place says otherwise.
    pub initial: bool,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE` (read every `MAINTENANCE_POLL`, default 5 s), else nowhere.
    pub place: Option<Place>,
}

pub(super) fn switch(raw: &Raw, faults: &mut Faults) -> SwitchOptions {
    let initial = faults.take("MAINTENANCE_MODE", options::switch(&raw.maintenance_mode), false);
    let poll = faults.take("MAINTENANCE_POLL", options::interval(&raw.maintenance_poll), Duration::from_secs(5));
    let place =
        cli::maintenance::place(raw.maintenance_file.as_deref(), raw.maintenance_configmap.as_deref(), poll, faults);
    SwitchOptions { initial, place }
}

pub(super) fn readiness(text: &str, faults: &mut Faults) -> MaintenanceReadiness {
    let choices = [
        ("after-drain", MaintenanceReadiness::AfterDrain),
        ("immediate", MaintenanceReadiness::Immediate),
        ("never", MaintenanceReadiness::Never),
    ];
    faults.take("MAINTENANCE_READINESS", options::choice(text, &choices), MaintenanceReadiness::default())
}

/// None where it was not set: the page names a time only where an operator has said it.
pub(super) fn retry_after(text: Option<&str>, faults: &mut Faults) -> Option<Duration> {
    let text = options::given(text)?;
    faults.take("MAINTENANCE_RETRY_AFTER", options::timeout(text).map(Some), None)
}

/// The options of `user-tier maintenance-page`, checked.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// `HTTP_ADDR`, default `0.0.0.0:9090`.
    pub http: SocketAddr,
    /// `MAINTENANCE_RETRY_AFTER`; none: 30 min, and the page names no time.
    pub retry_after: Option<Duration>,
    /// `ROUTE_PREFIX` of the pods, default none.
    pub route_prefix: RoutePrefix,
    /// `HIDE_PROBES`, default `false`: probes and metrics are 404.
    pub hide_probes: bool,
    /// `LOG_FORMAT`, default `text`.
    pub log_format: LogFormat,
}

impl PageOptions {
    /// Checks what was written.
    ///
    /// # Errors
    /// Every fault, one line each.
    pub fn parse(raw: &RawPage, environment: &dyn Environment) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = Self {
            http: faults.take("HTTP_ADDR", options::address(&raw.http_addr), nowhere),
            retry_after: retry_after(raw.maintenance_retry_after.as_deref(), &mut faults),
            route_prefix: super::route_prefix(raw.route_prefix.as_deref(), &mut faults),
            hide_probes: faults.take("HIDE_PROBES", options::switch(&raw.hide_probes), false),
            log_format: faults.take(
                "LOG_FORMAT",
                options::choice(&raw.log_format, &LogFormat::CHOICES),
                LogFormat::default(),
            ),
        };
        if let Err(fault) = logging::filter(environment) {
            faults.push("RUST_LOG", fault);
        }
        faults.into_result(options)
    }
}
