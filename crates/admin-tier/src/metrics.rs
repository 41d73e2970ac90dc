//! `/metrics`: the counters of every pod under their contract names, and the metrics of this tier.
//!
//! Each scrape fills a new recorder from the fleet, so that a pod's series end with the pod: a departed pod keeps its
//! counters for ten minutes and no gauge.

mod descriptions;

use std::collections::HashSet;

use fleet::{COUNTERS_RETENTION, FleetView, PodState, PodView};
use metrics::{counter, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use session_domain::{Counters, Phase, PodReport, Timestamp};

/// The metrics of this process that the fleet does not know.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProcessMetrics {
    /// Open event streams.
    pub(crate) event_streams: u64,
    /// Event streams that were cut because their client read nothing.
    pub(crate) event_streams_cut: u64,
    /// Log lines that were dropped.
    pub(crate) dropped_log_lines: u64,
}

/// Renders the metrics in the Prometheus text format.
pub(crate) fn render(view: &FleetView, process: ProcessMetrics, now: Timestamp) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        descriptions::describe();
        record_fleet(view);
        record_process(process);
        let mut recorded = HashSet::new();
        // Where two pods have one name, the one that can be reached is recorded: a series must not occur twice.
        let (reachable, unreachable): (Vec<_>, Vec<_>) = view.pods().iter().partition(|pod| pod.is_reachable());
        for pod in reachable.into_iter().chain(unreachable) {
            if recorded.insert(pod.label().to_owned()) {
                record_pod(pod, view, now);
            }
        }
        for departed in view.departed_pods() {
            if now.since(departed.last_seen) <= COUNTERS_RETENTION && recorded.insert(departed.pod.to_string()) {
                record_counters(departed.pod.as_str(), &departed.counters);
            }
        }
    });
    handle.render()
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; no fleet has 2^53 sessions")]
fn record_fleet(view: &FleetView) {
    gauge!("lastcall_admin_pods").set(view.pods().iter().filter(|pod| pod.is_discovered()).count() as f64);
    gauge!("lastcall_admin_discovery_up").set(f64::from(u8::from(view.discovery_error().is_none())));
    gauge!("lastcall_admin_sessions").set(view.total_sessions() as f64);
    gauge!("lastcall_admin_sessions_present").set(view.present_sessions() as f64);
    gauge!("lastcall_admin_fleet_complete").set(f64::from(u8::from(view.is_complete())));
    gauge!("lastcall_admin_build_info", "version" => cli::version::VERSION).set(1.0);
}

#[allow(clippy::cast_precision_loss, reason = "streams and log lines are few")]
fn record_process(process: ProcessMetrics) {
    gauge!("lastcall_admin_event_streams").set(process.event_streams as f64);
    counter!("lastcall_admin_event_streams_cut_total").absolute(process.event_streams_cut);
    counter!("lastcall_admin_log_lines_dropped_total").absolute(process.dropped_log_lines);
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; no fleet has 2^53 sessions")]
fn record_pod(pod: &PodView, view: &FleetView, now: Timestamp) {
    let name = pod.label().to_owned();
    // A finished pod is not an outage: it has sent its final report.
    if pod.state != PodState::Finished {
        gauge!("lastcall_admin_pod_up", "pod" => name.clone()).set(f64::from(u8::from(pod.is_reachable())));
    }
    let Some(report) = &pod.report else { return };
    if pod.is_reachable() {
        gauge!("active_sessions_total", "pod" => name.clone()).set(report.active_sessions as f64);
        if let Some(present) = report.present_sessions {
            gauge!("lastcall_admin_pod_sessions_present", "pod" => name.clone()).set(present as f64);
        }
        if let Some(work) = view.work(pod) {
            gauge!("lastcall_admin_pod_sessions_protected", "pod" => name.clone()).set(work.protected as f64);
            gauge!("lastcall_admin_pod_websocket_connections", "pod" => name.clone()).set(work.websockets as f64);
        }
        record_drain(&name, report);
    } else if pod.last_seen.is_none_or(|seen| now.since(seen) > COUNTERS_RETENTION) {
        return;
    }
    record_counters(&name, &report.counters);
}

/// Records phase and deadline. Only of a pod that can be reached, so that a lost pod does not seem to drain for ever.
#[allow(clippy::cast_precision_loss, reason = "a time in milliseconds fits")]
fn record_drain(pod: &str, report: &PodReport) {
    for phase in Phase::ALL {
        gauge!("lastcall_admin_pod_phase", "pod" => pod.to_owned(), "phase" => phase.as_str())
            .set(f64::from(u8::from(report.phase == phase)));
    }
    if let Some(deadline) = report.forced_logout_at {
        gauge!("lastcall_admin_pod_forced_logout_timestamp_seconds", "pod" => pod.to_owned())
            .set(deadline.as_millis() as f64 / 1000.0);
    }
}

/// Records a pod's counters under its name.
fn record_counters(pod: &str, counters: &Counters) {
    for (series, value) in [
        ("drain_notifications_sent", counters.drain_notifications_sent),
        ("graceful_logouts_total", counters.graceful_logouts),
        ("forced_logouts_total", counters.forced_logouts),
        ("total_logins", counters.logins),
        ("lastcall_admin_pod_auto_logouts_total", counters.auto_logouts),
        ("lastcall_admin_pod_asked_to_move_total", counters.asked_to_move),
        ("lastcall_admin_pod_moved_total", counters.moved),
    ] {
        counter!(series, "pod" => pod.to_owned()).absolute(value);
    }
}

#[cfg(test)]
mod tests;
