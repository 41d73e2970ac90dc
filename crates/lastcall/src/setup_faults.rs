//! Faults in the way an app has set the library up that no single setting shows. Each is logged once for a handle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use session_domain::lifecycle::{HandoffPolicy, Policy};
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
    /// Proxies or a limit of newcomers are configured, and a request carries no address of its peer, so that neither can work.
    pub(crate) fn missing_peer(&self) {
        if is_first(&self.missing_peer) {
            error!(
                "requests carry no peer address: no forwarded field and no user name is accepted, and newcomers are not limited; \
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

    /// Sessions can move to other pods only through a store, with cookies that those can verify, and within the half of the drain after
    /// which all are shown the countdown. A handoff that is not possible is switched off.
    pub(crate) fn check_handoff(config: &mut Config) {
        let Some(handoff) = config.policy.handoff else { return };
        let faults = handoff_faults(config, handoff);
        if faults.is_empty() {
            // Where sessions go on at other pods, a forced end deletes none.
            config.forced_end = ForcedEnd::Release;
            return;
        }
        config.policy.handoff = None;
        error!("`policy.handoff` is ignored, and users are asked to leave instead: {}", faults.join("; "));
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

/// What keeps a handoff from working, and what to do.
fn handoff_faults(config: &Config, handoff: HandoffPolicy) -> Vec<String> {
    let drain_timeout = config.policy.drain_timeout;
    let mut faults = Vec::new();
    if config.store.is_none() {
        faults.push("it needs `store`: sessions move through a store that the pods share".to_owned());
    }
    if config.keys.are_random() && !config.shared_key {
        faults.push(
            "it needs `keys` of `SigningKeys::from_secrets`, or `shared_key`: other pods have to verify the cookies"
                .to_owned(),
        );
    }
    if !handoff.fits(drain_timeout) {
        let [delay, quiet, drain] = [handoff.delay, handoff.quiet, drain_timeout].map(|time| time.as_secs_f64());
        faults.push(format!(
            "`delay` {delay}s + `quiet` {quiet}s must be below half of `drain_timeout` {drain}s; lower them, or raise \
             `drain_timeout`"
        ));
    }
    faults
}

fn is_first(was_logged: &AtomicBool) -> bool {
    // Read first: requests after the first one write nothing.
    !was_logged.load(Ordering::Relaxed) && !was_logged.swap(true, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use session_domain::PodName;

    use super::*;
    use crate::signing_keys::SigningKeys;
    use crate::store::MemoryStore;

    #[test]
    fn a_handoff_to_pods_that_cannot_verify_the_cookies_is_ignored() {
        let secret = [b"0123456789abcdef0123456789abcdef".as_slice()];
        for (keys, shared_key, works) in [
            (SigningKeys::random(), false, false),
            (SigningKeys::random(), true, true),
            (SigningKeys::from_secrets(secret).unwrap(), false, true),
        ] {
            let mut config = Config::new(PodName::new("a").unwrap());
            config.policy.handoff = Some(HandoffPolicy::default());
            (config.keys, config.shared_key) = (keys, shared_key);
            config.store = Some(Arc::new(MemoryStore::default()));
            SetupFaults::check_handoff(&mut config);
            assert_eq!(config.policy.handoff.is_some(), works);
            assert_eq!(config.forced_end == ForcedEnd::Release, works);
        }
    }

    #[test]
    fn all_faults_of_a_handoff_are_reported_together() {
        let mut config = Config::new(PodName::new("a").unwrap());
        config.policy.drain_timeout = Duration::from_secs(1);
        let faults =
            handoff_faults(&config, HandoffPolicy { delay: Duration::from_secs(2), ..HandoffPolicy::default() });
        for (fault, names) in faults.iter().zip(["`store`", "`shared_key`", "`drain_timeout` 1s"]) {
            assert!(fault.contains(names), "{faults:?}");
        }
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
