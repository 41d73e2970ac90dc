//! The options of maintenance: where the switch lies, what follows from it, and those of the page on its own.

use std::net::SocketAddr;
use std::time::Duration;

use cli::logging::{self, LogFormat};
use cli::options::{self, Environment, OptionErrors};
use lastcall::MaintenanceReadiness;
use maintenance_switch::SwitchLocation;

use super::raw::{Raw, RawPage};

/// Where the maintenance switch lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchOptions {
    /// `MAINTENANCE_MODE`, default off: where it stands until its place says otherwise.
    pub initial: bool,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE` (read every `MAINTENANCE_POLL`, default 5 s), else nowhere.
    pub place: Option<SwitchLocation>,
}

pub(super) fn switch(raw: &Raw, errors: &mut OptionErrors) -> SwitchOptions {
    let initial = errors.value_or("MAINTENANCE_MODE", options::switch(&raw.maintenance_mode), false);
    let poll = errors.value_or("MAINTENANCE_POLL", options::interval(&raw.maintenance_poll), Duration::from_secs(5));
    let place =
        cli::maintenance::location(raw.maintenance_file.as_deref(), raw.maintenance_configmap.as_deref(), poll, errors);
    SwitchOptions { initial, place }
}

pub(super) fn readiness(text: &str, errors: &mut OptionErrors) -> MaintenanceReadiness {
    let choices = [
        ("after-drain", MaintenanceReadiness::AfterDrain),
        ("immediate", MaintenanceReadiness::Immediate),
        ("never", MaintenanceReadiness::Never),
    ];
    errors.value_or("MAINTENANCE_READINESS", options::choice(text, &choices), MaintenanceReadiness::default())
}

/// None where it was not set: the page names a time only where an operator has said it.
pub(super) fn retry_after(text: Option<&str>, errors: &mut OptionErrors) -> Option<Duration> {
    let text = options::non_empty(text)?;
    errors.value_or("MAINTENANCE_RETRY_AFTER", options::timeout(text).map(Some), None)
}

/// The options of `user-tier maintenance-page`, checked.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// `HTTP_ADDR`, default `0.0.0.0:9090`.
    pub http: SocketAddr,
    /// `MAINTENANCE_RETRY_AFTER`; none: 30 min, and the page names no time.
    pub retry_after: Option<Duration>,
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
    pub fn parse(raw: &RawPage, environment: &dyn Environment) -> Result<Self, OptionErrors> {
        let mut errors = OptionErrors::default();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = Self {
            http: errors.value_or("HTTP_ADDR", options::address(&raw.http_addr), nowhere),
            retry_after: retry_after(raw.maintenance_retry_after.as_deref(), &mut errors),
            hide_probes: errors.value_or("HIDE_PROBES", options::switch(&raw.hide_probes), false),
            log_format: errors.value_or(
                "LOG_FORMAT",
                options::choice(&raw.log_format, &LogFormat::CHOICES),
                LogFormat::default(),
            ),
        };
        if let Err(fault) = logging::filter(environment) {
            errors.push("RUST_LOG", fault);
        }
        errors.into_result(options)
    }
}
