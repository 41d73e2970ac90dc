//! The options of maintenance in a pod: where the switch is, and what the pod does while it is on.

use std::time::Duration;

use clap::Args;
use cli::common_options::SwitchArgs;
use cli::options::{self, OptionErrors, format_duration, word};
use lastcall::{Config, MaintenanceReadiness};
use maintenance_switch::SwitchLocation;

use super::defaults::DEFAULTS;

const POLL: Duration = Duration::from_secs(5);

const READINESS: [(&str, MaintenanceReadiness); 3] = [
    ("after-drain", MaintenanceReadiness::AfterDrain),
    ("immediate", MaintenanceReadiness::Immediate),
    ("never", MaintenanceReadiness::Never),
];

/// The options of maintenance as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Maintenance")]
pub(super) struct MaintenanceArgs {
    /// The maintenance switch at start-up, `true` or `false`, until MAINTENANCE_FILE or MAINTENANCE_CONFIGMAP says otherwise
    #[arg(long, env, default_value_t = false.to_string())]
    maintenance_mode: String,
    #[command(flatten)]
    switch: SwitchArgs,
    /// How often MAINTENANCE_FILE is read
    #[arg(long, env, default_value_t = format_duration(POLL))]
    maintenance_poll: String,
    /// When /ready fails in maintenance: `after-drain` (the last user has gone or the countdown has ended), `immediate` or
    /// `never`
    #[arg(long, env, default_value_t = word(&READINESS, DEFAULTS.policy.maintenance_readiness))]
    maintenance_readiness: String,
    #[command(flatten)]
    retry_after: RetryAfterArgs,
}

/// Where the maintenance switch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchOptions {
    /// `MAINTENANCE_MODE`: its position until its place has been read.
    pub initial: bool,
    /// `MAINTENANCE_CONFIGMAP`, else `MAINTENANCE_FILE` (read every `MAINTENANCE_POLL`), else nowhere.
    pub place: Option<SwitchLocation>,
}

impl MaintenanceArgs {
    pub(super) fn apply(&self, config: &mut Config, errors: &mut OptionErrors) {
        let readiness = options::choice(&self.maintenance_readiness, &READINESS);
        errors.set(&mut config.policy.maintenance_readiness, "MAINTENANCE_READINESS", readiness);
        config.maintenance_retry_after = self.retry_after.read(errors);
    }

    pub(super) fn switch(&self, errors: &mut OptionErrors) -> SwitchOptions {
        let initial = errors.value_or("MAINTENANCE_MODE", options::switch(&self.maintenance_mode), false);
        let poll = errors.value_or("MAINTENANCE_POLL", options::interval(&self.maintenance_poll), POLL);
        SwitchOptions { initial, place: self.switch.read(poll, errors) }
    }
}

/// `MAINTENANCE_RETRY_AFTER`, which pods and the maintenance page have in common.
#[derive(Args, Clone, Debug)]
pub(super) struct RetryAfterArgs {
    /// `Retry-After` of the maintenance page. The page names this time to users only if it is set [default: `30m`]
    #[arg(long, env)]
    maintenance_retry_after: Option<String>,
}

impl RetryAfterArgs {
    /// Returns none if it is unset: the page names a time only if an operator has set one.
    pub(super) fn read(&self, errors: &mut OptionErrors) -> Option<Duration> {
        let text = options::non_empty(self.maintenance_retry_after.as_deref())?;
        errors.value_or("MAINTENANCE_RETRY_AFTER", options::timeout(text).map(Some), None)
    }
}
