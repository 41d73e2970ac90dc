//! Faults in the way an app has set the library up that no single setting shows. Each is logged once for a handle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use session_domain::lifecycle::Policy;
use tracing::{error, warn};

use crate::config::{Config, ForcedEnd};
use crate::serve::CLOSING_TIME;

/// Which faults were logged.
#[derive(Debug, Default)]
pub(crate) struct SetupFaults {
    missing_peer: AtomicBool,
    unsupported_tab_scope: AtomicBool,
    unfit_waits: AtomicBool,
}

impl SetupFaults {
    /// Proxies are configured, and a request carries no address of its peer, so that no proxy can be recognized.
    pub(crate) fn missing_peer(&self) {
        if is_first(&self.missing_peer) {
            error!(
                "proxies are configured, but requests carry no peer address: no forwarded field and no user name is accepted; \
                 serve the app by `into_make_service_with_connect_info::<SocketAddr>()`"
            );
        }
    }

    /// The waits of the drain, with the resources that the app registered, have to fit into the grace period of the pod, where that is known.
    pub(crate) fn check_waits(&self, config: &Config, closers: Duration) {
        let Some(granted) = config.termination_grace_period else { return };
        let Policy { drain_timeout, task_grace, propagation_wait, .. } = config.policy;
        let waits = [drain_timeout, task_grace, propagation_wait, closers, CLOSING_TIME];
        let needed = waits.into_iter().fold(Duration::ZERO, Duration::saturating_add);
        if granted < needed && is_first(&self.unfit_waits) {
            error!(
                "the drain does not fit into `termination_grace_period`, and the pod may be killed before its end: drain_timeout {}s + \
                 task_grace {}s + propagation_wait {}s + timeouts of `on_close` {}s + {}s for closing make {}s, and {}s are \
                 granted; grant more or lower the others",
                drain_timeout.as_secs_f64(),
                task_grace.as_secs_f64(),
                propagation_wait.as_secs_f64(),
                closers.as_secs_f64(),
                CLOSING_TIME.as_secs_f64(),
                needed.as_secs_f64(),
                granted.as_secs_f64(),
            );
        }
    }

    /// Sessions can move to other pods only through a store, and within the half of the drain after which all are shown the countdown.
    /// A handoff that is not possible is switched off.
    pub(crate) fn check_handoff(config: &mut Config) {
        let Some(handoff) = config.policy.handoff else { return };
        let fault = if config.store.is_none() {
            "it needs a store"
        } else if !handoff.fits(config.policy.drain_timeout) {
            "delay and quiet time together must be below half of drain_timeout"
        } else {
            // Where sessions go on at other pods, a forced end deletes none.
            config.forced_end = ForcedEnd::Release;
            return;
        };
        error!("`policy.handoff` is ignored: {fault}; users are asked to leave instead");
        config.policy.handoff = None;
    }

    /// Sessions are to be scoped to tabs, and the app has a server of its own, where no path is a tab's.
    pub(crate) fn unsupported_tab_scope(&self) {
        if is_first(&self.unsupported_tab_scope) {
            warn!(
                "`SessionScope::Tab` needs `Lastcall::serve`: behind `Lastcall::layer` sessions have the scope of the browser"
            );
        }
    }
}

fn is_first(was_logged: &AtomicBool) -> bool {
    // Read first: requests after the first one write nothing.
    !was_logged.load(Ordering::Relaxed) && !was_logged.swap(true, Ordering::Relaxed)
}
