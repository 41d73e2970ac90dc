//! Whether this pod declares in its lease that it adopts the sessions of pods that stop: it serves, users can reach it, and it is not
//! nearly full.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use session_domain::{Phase, Timestamp};
use tokio::time::sleep;

use super::Sharing;

/// A pod counts as reachable this long after its start where nobody asks its `/ready`, as in an app with a probe of its own.
const UNPROBED_START: Duration = Duration::from_secs(3);

/// How often the pod compares its state with what its lease declares. Without a store operation.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// What the declaration depends on.
#[derive(Debug, Default)]
pub(super) struct AdopterState {
    /// When the start of the pod was complete.
    started: OnceLock<Timestamp>,
    /// Whether `/ready` has ever said that the pod takes newcomers. Proxies lead nobody here before.
    was_ready: AtomicBool,
    /// What the last lease declared, whether or not the store took it.
    declared: AtomicBool,
}

impl Sharing {
    /// Records that the start of the pod is complete.
    pub(crate) fn mark_started(&self) {
        self.adopter.started.get_or_init(|| self.clock.now());
    }

    /// Records that `/ready` says that the pod takes newcomers.
    pub(crate) fn mark_ready(&self) {
        self.adopter.was_ready.store(true, Ordering::Release);
    }

    /// Whether this pod adopts the sessions of pods that stop. What it says now is to be declared in the lease.
    pub(super) fn declare_adopter(&self) -> bool {
        let is_adopter = self.is_adopter();
        self.adopter.declared.store(is_adopter, Ordering::Release);
        is_adopter
    }

    /// Waits until the lease declares another thing than it should.
    pub(super) async fn adopter_changed(&self) {
        while self.is_adopter() == self.adopter.declared.load(Ordering::Acquire) {
            sleep(CHECK_INTERVAL).await;
        }
    }

    fn is_adopter(&self) -> bool {
        let serves = self.lifecycle.borrow().phase() == Phase::Serving;
        serves && self.is_reachable() && !self.registry.is_nearly_full()
    }

    /// Whether proxies lead users here, as far as the pod can know.
    fn is_reachable(&self) -> bool {
        let Some(started) = self.adopter.started.get() else { return false };
        self.adopter.was_ready.load(Ordering::Acquire) || self.clock.now().since(*started) >= UNPROBED_START
    }
}
