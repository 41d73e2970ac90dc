//! The options of a drain: how long users have, how long the pod waits after them, and whether that fits the pod spec.

use std::time::Duration;

use clap::Args;
use cli::options::{self, OptionErrors, format_duration, word};
use lastcall::{CLOSING_TIME, Config, Policy, ReadinessWhileDraining, SecondSignal};

use super::defaults::DEFAULTS;

const SECOND_SIGNAL: [(&str, SecondSignal); 2] = [("hurry", SecondSignal::Hurry), ("ignore", SecondSignal::Ignore)];

const READINESS: [(&str, ReadinessWhileDraining); 2] =
    [("fail", ReadinessWhileDraining::Fail), ("hold", ReadinessWhileDraining::Hold)];

/// The time limit for closing the database. Only a database that `DATABASE_URL` names is waited for.
pub const DATABASE_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The options of a drain as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Drain")]
pub(super) struct DrainArgs {
    /// Time from the notice to the forced end, for shutdown and for maintenance
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.policy.drain_timeout))]
    drain_timeout: String,
    /// How often the remaining users are logged
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.policy.progress_interval))]
    drain_progress_interval: String,
    /// How long after the deadline sessions with work in progress are waited for: tasks, uploads, downloads
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.policy.task_grace))]
    task_grace: String,
    /// Time from the departure of the last user to the exit
    #[arg(long, env, default_value_t = format_duration(DEFAULTS.policy.propagation_wait))]
    propagation_wait: String,
    /// The pod spec's terminationGracePeriodSeconds. If set, DRAIN_TIMEOUT + TASK_GRACE + PROPAGATION_WAIT + 5s must fit, and
    /// 10s more with DATABASE_URL
    #[arg(long, env)]
    termination_grace_period: Option<String>,
    /// What a second SIGTERM or SIGINT does: `hurry` ends the waiting, `ignore` only logs it
    #[arg(long, env, default_value_t = word(&SECOND_SIGNAL, DEFAULTS.policy.second_signal))]
    second_signal: String,
    /// What /ready answers after SIGTERM: `fail` is 503 at once, `hold` stays 200 until the last user has gone
    #[arg(long, env, default_value_t = word(&READINESS, DEFAULTS.policy.readiness_while_draining))]
    readiness_while_draining: String,
    /// Whether browsers sign out by themselves at the end of the countdown
    #[arg(long, env, default_value_t = DEFAULTS.auto_logout.to_string())]
    auto_logout: String,
}

impl DrainArgs {
    pub(super) fn apply(&self, config: &mut Config, has_database: bool, errors: &mut OptionErrors) {
        let policy = &mut config.policy;
        errors.set(&mut policy.drain_timeout, "DRAIN_TIMEOUT", options::timeout(&self.drain_timeout));
        errors.set(
            &mut policy.progress_interval,
            "DRAIN_PROGRESS_INTERVAL",
            options::interval(&self.drain_progress_interval),
        );
        errors.set(&mut policy.task_grace, "TASK_GRACE", options::timeout(&self.task_grace));
        errors.set(&mut policy.propagation_wait, "PROPAGATION_WAIT", options::timeout(&self.propagation_wait));
        errors.set(
            &mut policy.readiness_while_draining,
            "READINESS_WHILE_DRAINING",
            options::choice(&self.readiness_while_draining, &READINESS),
        );
        errors.set(&mut policy.second_signal, "SECOND_SIGNAL", options::choice(&self.second_signal, &SECOND_SIGNAL));
        errors.set(&mut config.auto_logout, "AUTO_LOGOUT", options::switch(&self.auto_logout));
        let closers = if has_database { DATABASE_CLOSE_TIMEOUT } else { Duration::ZERO };
        self.apply_grace_period(config, closers, errors);
    }

    /// Checks that the drain fits into what the pod spec grants, if that is known.
    fn apply_grace_period(&self, config: &mut Config, closers: Duration, errors: &mut OptionErrors) {
        let Some(text) = options::non_empty(self.termination_grace_period.as_deref()) else { return };
        let granted = errors.value_or("TERMINATION_GRACE_PERIOD", options::timeout(text), Duration::MAX);
        config.termination_grace_period = Some(granted);
        let Policy { drain_timeout, task_grace, propagation_wait, .. } = config.policy;
        let terms = [drain_timeout, task_grace, propagation_wait, closers, CLOSING_TIME];
        let needed: Duration = terms.iter().sum();
        if granted < needed {
            let [drain, work, propagation, database, closing] = terms.map(|term| term.as_secs_f64());
            let (granted, needed) = (granted.as_secs_f64(), needed.as_secs_f64());
            errors.push(
                "TERMINATION_GRACE_PERIOD",
                format_args!(
                    "{granted}s is too short: DRAIN_TIMEOUT {drain}s + TASK_GRACE {work}s + PROPAGATION_WAIT {propagation}s + \
                     {database}s for the database + {closing}s for closing make {needed}s; \
                     raise terminationGracePeriodSeconds or lower the others"
                ),
            );
        }
    }
}
