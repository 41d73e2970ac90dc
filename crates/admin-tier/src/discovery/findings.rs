//! What discovery has to say, and the one place that says it: to the fleet as state, to the log once.

use std::sync::Arc;

use fleet::DiscoveredPod;
use tokio::sync::watch;
use tracing::{info, warn};

/// The longest reason that is told.
const MAX_REASON_CHARS: usize = 300;

/// Which pods there are, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// The pods that are named, ordered by address; absent before discovery has succeeded for the first time.
    pub(crate) pods: Option<Arc<[DiscoveredPod]>>,
    /// Why nobody can say just now whether these are all.
    pub(crate) trouble: Option<Arc<str>>,
}

impl Findings {
    fn set(&mut self, pods: Vec<DiscoveredPod>) {
        if self.pods.as_deref() != Some(&pods) {
            self.pods = Some(pods.into());
        }
    }
}

/// Where discovery says what it finds.
#[derive(Debug)]
pub(crate) struct Reporter(watch::Sender<Findings>);

impl Reporter {
    /// A reporter, and where its findings are read.
    pub(crate) fn new() -> (Self, watch::Receiver<Findings>) {
        let (sender, findings) = watch::channel(Findings::default());
        (Self(sender), findings)
    }

    /// These are the pods now, in whatever order; `fault` is what is wrong with what was found.
    pub(super) fn found(&self, pods: Vec<DiscoveredPod>, fault: Option<&str>) {
        let pods = in_order(pods);
        self.say(|findings| {
            findings.set(pods);
            findings.trouble = fault.map(legible);
        });
    }

    /// These are the pods now, in whatever order; whether more will be found is not known yet.
    pub(super) fn seen(&self, pods: Vec<DiscoveredPod>) {
        let pods = in_order(pods);
        self.say(|findings| findings.set(pods));
    }

    /// It cannot be said which pods there are, for this reason; what was known stays.
    pub(super) fn failed(&self, reason: &str) {
        self.say(|findings| findings.trouble = Some(legible(reason)));
    }

    /// Tells the fleet what is new, and the log when trouble begins and ends.
    fn say(&self, change: impl FnOnce(&mut Findings)) {
        self.0.send_if_modified(|findings| {
            let before = findings.clone();
            change(findings);
            let pods = findings.pods.as_ref().map_or(0, |pods| pods.len());
            match (&before.trouble, &findings.trouble) {
                (None, Some(reason)) => warn!(pods.count = pods, %reason, "pods cannot be found, those known stay"),
                (Some(_), None) => info!(pods.count = pods, "pods are found again"),
                (None, None) | (Some(_), Some(_)) => {}
            }
            *findings != before
        });
    }
}

/// By address, each once.
fn in_order(mut pods: Vec<DiscoveredPod>) -> Vec<DiscoveredPod> {
    pods.sort_by(|a, b| a.address.cmp(&b.address));
    pods.dedup_by(|a, b| a.address == b.address);
    pods
}

/// A reason as a page and a log line can hold it.
fn legible(reason: &str) -> Arc<str> {
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
    fn what_was_found_stays_while_discovery_fails_and_only_news_are_told() {
        let (reporter, mut findings) = Reporter::new();
        reporter.failed("not there\nyet");
        let first = findings.borrow_and_update().clone();
        assert_eq!((first.pods, first.trouble.as_deref()), (None, Some("not thereyet")));

        reporter.found(vec![at("b:1"), at("a:1"), at("b:1")], None);
        let found = findings.borrow_and_update().clone();
        assert_eq!((found.pods.as_deref(), found.trouble), (Some([at("a:1"), at("b:1")].as_slice()), None));

        reporter.found(vec![at("a:1"), at("b:1")], None);
        assert!(!findings.has_changed().unwrap(), "the same again is no news");

        reporter.failed("away");
        assert_eq!(findings.borrow_and_update().pods.as_ref().map(|pods| pods.len()), Some(2));
        reporter.seen(vec![at("a:1")]);
        let again = findings.borrow_and_update().clone();
        assert_eq!((again.pods.as_deref(), again.trouble.as_deref()), (Some([at("a:1")].as_slice()), Some("away")));
        reporter.failed("away");
        assert!(!findings.has_changed().unwrap());
        reporter.found(vec![at("a:1"), at("b:1")], None);
        assert_eq!(findings.borrow_and_update().trouble, None);
    }
}
