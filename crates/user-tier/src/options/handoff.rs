//! The options of a handoff: whether sessions move to other pods instead of being asked to leave, when, and how fast.

use clap::Args;
use cli::options::{self, OptionErrors, format_duration, word};
use lastcall::{Config, ForcedEnd, HandoffPolicy};

const SWITCH: [(&str, bool); 2] = [("off", false), ("on", true)];

/// The options of a handoff as they are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Handoff")]
pub(super) struct HandoffArgs {
    /// `on`: after SIGTERM sessions move to other pods instead of being asked to leave. Needs REDIS_URL and a SESSION_KEY that is
    /// set or `shared`; HANDOFF_DELAY + HANDOFF_QUIET must be below half of DRAIN_TIMEOUT. Implies
    /// FORCED_END=release
    #[arg(long, env, default_value_t = word(&SWITCH, false))]
    handoff: String,
    /// Time from the signal to the first session that is asked to move
    #[arg(long, env, default_value_t = format_duration(HandoffPolicy::default().delay))]
    handoff_delay: String,
    /// How many sessions are asked to move a second, at least
    #[arg(long, env, default_value_t = HandoffPolicy::default().rate.to_string())]
    handoff_rate: String,
    /// How long after being asked a session that is still here is shown the countdown
    #[arg(long, env, default_value_t = format_duration(HandoffPolicy::default().quiet))]
    handoff_quiet: String,
}

/// What a handoff needs of the other options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// Whether `REDIS_URL` is set, valid or not.
    pub(super) store: bool,
    /// Whether `SESSION_KEY` is set, valid or not.
    pub(super) key: bool,
}

impl HandoffArgs {
    /// Needs `DRAIN_TIMEOUT` and `FORCED_END`, which are applied before.
    pub(super) fn apply(&self, config: &mut Config, given: Needs, errors: &mut OptionErrors) {
        let mut is_on = false;
        let mut handoff = HandoffPolicy::default();
        errors.set(&mut is_on, "HANDOFF", options::choice(&self.handoff, &SWITCH));
        let (delay, quiet) = (options::timeout(&self.handoff_delay), options::timeout(&self.handoff_quiet));
        let are_times_valid = delay.is_ok() && quiet.is_ok();
        errors.set(&mut handoff.delay, "HANDOFF_DELAY", delay);
        errors.set(&mut handoff.rate, "HANDOFF_RATE", options::number(&self.handoff_rate, 1..=1_000_000));
        errors.set(&mut handoff.quiet, "HANDOFF_QUIET", quiet);
        if !is_on {
            return;
        }
        if !given.store {
            errors.push("HANDOFF", "`on` needs REDIS_URL: sessions move through a store that the pods share");
        }
        if !given.key {
            errors
                .push("HANDOFF", "`on` needs SESSION_KEY: other pods have to verify the cookies; set it, or `shared`");
        }
        let drain_timeout = config.policy.drain_timeout;
        if are_times_valid && !handoff.fits(drain_timeout) {
            let [delay, quiet, drain] = [handoff.delay, handoff.quiet, drain_timeout].map(|time| time.as_secs_f64());
            errors.push(
                "HANDOFF",
                format_args!(
                    "HANDOFF_DELAY {delay}s + HANDOFF_QUIET {quiet}s must be below half of DRAIN_TIMEOUT {drain}s; \
                     lower them, or raise DRAIN_TIMEOUT"
                ),
            );
        }
        config.policy.handoff = Some(handoff);
        config.forced_end = ForcedEnd::Release;
    }
}
