//! What discovery has found, and the one place that publishes it: to the fleet as state, to the log when it changes.

use std::sync::Arc;

use fleet::DiscoveredPod;
use tokio::sync::watch;
use tracing::{info, warn};

/// The longest reason that is kept, in characters.
const MAX_REASON_CHARS: usize = 300;

/// Which pods there are, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiscoveryState {
    /// The pods, ordered by address; `None` before discovery has succeeded for the first time.
    pub(crate) pods: Option<Arc<[DiscoveredPod]>>,
    /// Why pods may be missing.
    pub(crate) error: Option<Arc<str>>,
}

impl DiscoveryState {
    fn set_pods(&mut self, pods: Vec<DiscoveredPod>) {
        if self.pods.as_deref() != Some(&pods) {
            self.pods = Some(pods.into());
        }
    }
}

/// Publishes what discovery finds.
#[derive(Debug)]
pub(crate) struct Reporter(watch::Sender<DiscoveryState>);

impl Reporter {
    /// Creates a reporter, and the receiver of its state.
    pub(crate) fn new() -> (Self, watch::Receiver<DiscoveryState>) {
        let (sender, state) = watch::channel(DiscoveryState::default());
        (Self(sender), state)
    }

    /// Publishes the current pods, in any order, and what is wrong with them.
    pub(super) fn found(&self, pods: Vec<DiscoveredPod>, error: Option<&str>) {
        let pods = in_order(pods);
        self.update(|state| {
            state.set_pods(pods);
            state.error = error.map(printable);
        });
    }

    /// Publishes the current pods, in any order, and leaves the error as it was.
    pub(super) fn seen(&self, pods: Vec<DiscoveredPod>) {
        let pods = in_order(pods);
        self.update(|state| state.set_pods(pods));
    }

    /// Publishes why discovery fails. Known pods stay.
    pub(super) fn failed(&self, reason: &str) {
        self.update(|state| state.error = Some(printable(reason)));
    }

    /// Notifies the fleet of a change, and logs the first error and its end.
    fn update(&self, change: impl FnOnce(&mut DiscoveryState)) {
        self.0.send_if_modified(|state| {
            let before = state.clone();
            change(state);
            let pods = state.pods.as_ref().map_or(0, |pods| pods.len());
            match (&before.error, &state.error) {
                (None, Some(reason)) => warn!(pods.count = pods, %reason, "pods cannot be found, known pods are kept"),
                (Some(_), None) => info!(pods.count = pods, "pods are found again"),
                (None, None) | (Some(_), Some(_)) => {}
            }
            *state != before
        });
    }
}

/// Sorts by address and removes duplicates.
fn in_order(mut pods: Vec<DiscoveredPod>) -> Vec<DiscoveredPod> {
    pods.sort_by(|a, b| a.address.cmp(&b.address));
    pods.dedup_by(|a, b| a.address == b.address);
    pods
}

/// Makes a reason fit for a page and a log line.
fn printable(reason: &str) -> Arc<str> {
    reason.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use fleet::Address;

    use super::*;

    fn at(address: &str) -> DiscoveredPod {
        DiscoveredPod::at(Address::new(address))
    }

    #[test]
    fn known_pods_stay_while_discovery_fails_and_only_changes_are_published() {
        let (reporter, mut receiver) = Reporter::new();
        reporter.failed("not there\nyet");
        let first = receiver.borrow_and_update().clone();
        assert_eq!((first.pods, first.error.as_deref()), (None, Some("not thereyet")));

        reporter.found(vec![at("b:1"), at("a:1"), at("b:1")], None);
        let found = receiver.borrow_and_update().clone();
        assert_eq!((found.pods.as_deref(), found.error), (Some([at("a:1"), at("b:1")].as_slice()), None));

        reporter.found(vec![at("a:1"), at("b:1")], None);
        assert!(!receiver.has_changed().unwrap(), "the same again is no change");

        reporter.failed("away");
        assert_eq!(receiver.borrow_and_update().pods.as_ref().map(|pods| pods.len()), Some(2));
        reporter.seen(vec![at("a:1")]);
        let again = receiver.borrow_and_update().clone();
        assert_eq!((again.pods.as_deref(), again.error.as_deref()), (Some([at("a:1")].as_slice()), Some("away")));
        reporter.failed("away");
        assert!(!receiver.has_changed().unwrap());
        reporter.found(vec![at("a:1"), at("b:1")], None);
        assert_eq!(receiver.borrow_and_update().error, None);
    }
}
