//! Every number of the admin tier: what the pods counted, under their names, and how well they are heard.
//!
//! The recorder is made anew for each scrape and filled from the fleet, so that what is gone is gone: no series is
//! left behind by a pod that nobody knows any more.

use std::collections::HashSet;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use session_domain::Timestamp;
use session_domain::fleet::{FleetView, PodView};

/// A pod that is gone leaves its counters behind for so long, so that rates over them end rather than vanish.
const COUNTERS_STAY: Duration = Duration::from_secs(10 * 60);

/// The metrics page.
pub(crate) fn render(view: &FleetView, now: Timestamp) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        describe();
        tier(view);
        let mut named = HashSet::new();
        // Of two pods under one name the one that answers is believed: a series must not stand there twice.
        let (up, down): (Vec<_>, Vec<_>) = view.pods().iter().partition(|pod| pod.is_reachable());
        for pod in up.into_iter().chain(down) {
            if named.insert(pod.label().to_owned()) {
                pod_numbers(pod, now);
            }
        }
    });
    handle.render()
}

fn describe() {
    describe_gauge!("active_sessions_total", "Sessions held by the pod, present or not.");
    describe_counter!("drain_notifications_sent", "Sessions told of a drain or maintenance, once a notice.");
    describe_counter!("graceful_logouts_total", "Logouts of told sessions while the notice ran.");
    describe_counter!("forced_logouts_total", "Sessions that were present and force-closed at the deadline.");
    describe_counter!("total_logins", "Sessions started by the pod.");
    describe_gauge!("lastcall_admin_pod_up", "Whether the pod is heard: 1, or 0 while it is not.");
    describe_gauge!("lastcall_admin_pods", "Pods that are expected.");
    describe_gauge!("lastcall_admin_sessions", "Sessions known over all pods, each counted once.");
    describe_gauge!("lastcall_admin_fleet_complete", "Whether the totals leave nothing out: 1, or 0 where they do.");
    describe_gauge!("lastcall_admin_build_info", "Always 1; the label names the version and the git revision.");
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; nobody has 2^53 sessions")]
fn tier(view: &FleetView) {
    gauge!("lastcall_admin_pods").set(view.pods().len() as f64);
    gauge!("lastcall_admin_sessions").set(view.total_sessions() as f64);
    gauge!("lastcall_admin_fleet_complete").set(f64::from(u8::from(view.is_complete())));
    gauge!("lastcall_admin_build_info", "version" => launch::version::VERSION).set(1.0);
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; nobody has 2^53 sessions")]
fn pod_numbers(pod: &PodView, now: Timestamp) {
    let name = pod.label().to_owned();
    gauge!("lastcall_admin_pod_up", "pod" => name.clone()).set(f64::from(u8::from(pod.is_reachable())));
    let Some(report) = &pod.report else { return };
    if pod.is_reachable() {
        gauge!("active_sessions_total", "pod" => name.clone()).set(report.active_sessions as f64);
    } else if pod.last_seen.is_none_or(|seen| now.since(seen) > COUNTERS_STAY) {
        return;
    }
    let counters = report.counters;
    for (series, value) in [
        ("drain_notifications_sent", counters.drain_notifications_sent),
        ("graceful_logouts_total", counters.graceful_logouts),
        ("forced_logouts_total", counters.forced_logouts),
        ("total_logins", counters.logins),
    ] {
        counter!(series, "pod" => name.clone()).absolute(value);
    }
}
