//! Every number of the admin tier: what the pods counted, under their names, and how well they are heard.
//!
//! The recorder is made anew for each scrape and filled from the fleet, so that what is gone is gone: a pod that has left
//! keeps its counters for ten minutes, as long as the fleet remembers them, and no series after that.

use std::collections::HashSet;

use fleet::{COUNTERS_RETENTION, FleetView, PodState, PodView};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use session_domain::{Counters, Phase, PodReport, Timestamp};

use crate::live::Streams;

/// The metrics page.
pub(crate) fn render(view: &FleetView, streams: &Streams, dropped_log_lines: u64, now: Timestamp) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        describe();
        tier(view);
        pages(streams);
        counter!("lastcall_admin_log_lines_dropped_total").absolute(dropped_log_lines);
        let mut named = HashSet::new();
        // Of two pods under one name the one that answers is believed: a series must not stand there twice.
        let (up, down): (Vec<_>, Vec<_>) = view.pods().iter().partition(|pod| pod.is_reachable());
        for pod in up.into_iter().chain(down) {
            if named.insert(pod.label().to_owned()) {
                pod_numbers(pod, now);
            }
        }
        for gone in view.departed_pods() {
            if now.since(gone.last_seen) <= COUNTERS_RETENTION && named.insert(gone.pod.to_string()) {
                count(gone.pod.as_str(), &gone.counters);
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
    describe_gauge!(
        "lastcall_admin_pod_up",
        "Whether the pod is heard: 1, or 0 while it is expected and silent. Absent of a pod that has finished."
    );
    describe_gauge!("lastcall_admin_pod_phase", "1 for the phase that the pod is in, 0 for the others.");
    describe_gauge!(
        "lastcall_admin_pod_forced_logout_timestamp_seconds",
        "When the pod force-closes who is still there, while a countdown runs."
    );
    describe_gauge!("lastcall_admin_pod_sessions_present", "Sessions of the pod that are present, where it says so.");
    describe_counter!(
        "lastcall_admin_pod_auto_logouts_total",
        "Sessions that the browser signed out by itself at the end of a countdown; graceful_logouts_total has them, too."
    );
    describe_counter!("lastcall_admin_pod_moved_total", "Sessions of the pod that go on at another pod.");
    describe_gauge!("lastcall_admin_pods", "Pods that are expected.");
    describe_gauge!("lastcall_admin_discovery_up", "Whether pods are found: 1, or 0 while those known have to do.");
    describe_gauge!("lastcall_admin_sessions", "Sessions known over all pods, each counted once.");
    describe_gauge!("lastcall_admin_sessions_present", "Sessions over all pods that are present, each counted once.");
    describe_gauge!("lastcall_admin_fleet_complete", "Whether the totals leave nothing out: 1, or 0 where they do.");
    describe_gauge!("lastcall_admin_event_streams", "Event streams of open pages.");
    describe_counter!(
        "lastcall_admin_event_streams_cut_total",
        "Event streams that were cut because nobody read them."
    );
    describe_counter!(
        "lastcall_admin_log_lines_dropped_total",
        "Log lines that were dropped because nobody read the log fast enough."
    );
    describe_gauge!("lastcall_admin_build_info", "Always 1; the label names the version and the git revision.");
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; nobody has 2^53 sessions")]
fn tier(view: &FleetView) {
    gauge!("lastcall_admin_pods").set(view.pods().iter().filter(|pod| pod.is_discovered()).count() as f64);
    gauge!("lastcall_admin_discovery_up").set(f64::from(u8::from(view.discovery_error().is_none())));
    gauge!("lastcall_admin_sessions").set(view.total_sessions() as f64);
    gauge!("lastcall_admin_sessions_present").set(view.present_sessions() as f64);
    gauge!("lastcall_admin_fleet_complete").set(f64::from(u8::from(view.is_complete())));
    gauge!("lastcall_admin_build_info", "version" => cli::version::VERSION).set(1.0);
}

#[allow(clippy::cast_precision_loss, reason = "streams are few")]
fn pages(streams: &Streams) {
    gauge!("lastcall_admin_event_streams").set(streams.open() as f64);
    counter!("lastcall_admin_event_streams_cut_total").absolute(streams.cut());
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; nobody has 2^53 sessions")]
fn pod_numbers(pod: &PodView, now: Timestamp) {
    let name = pod.label().to_owned();
    // Nobody has to be alarmed about a pod that has finished, expected again or not: it said its last word.
    if pod.state != PodState::Finished {
        gauge!("lastcall_admin_pod_up", "pod" => name.clone()).set(f64::from(u8::from(pod.is_reachable())));
    }
    let Some(report) = &pod.report else { return };
    if pod.is_reachable() {
        gauge!("active_sessions_total", "pod" => name.clone()).set(report.active_sessions as f64);
        if let Some(present) = report.present_sessions {
            gauge!("lastcall_admin_pod_sessions_present", "pod" => name.clone()).set(present as f64);
        }
        drain(&name, report);
    } else if pod.last_seen.is_none_or(|seen| now.since(seen) > COUNTERS_RETENTION) {
        return;
    }
    count(&name, &report.counters);
}

/// How far a pod has drained: nothing is said of a pod that is not heard, so that no drain seems to go on for ever.
#[allow(clippy::cast_precision_loss, reason = "a time in milliseconds fits")]
fn drain(pod: &str, report: &PodReport) {
    for phase in Phase::ALL {
        gauge!("lastcall_admin_pod_phase", "pod" => pod.to_owned(), "phase" => phase.as_str())
            .set(f64::from(u8::from(report.phase == phase)));
    }
    if let Some(deadline) = report.forced_logout_at {
        gauge!("lastcall_admin_pod_forced_logout_timestamp_seconds", "pod" => pod.to_owned())
            .set(deadline.as_millis() as f64 / 1000.0);
    }
}

/// What a pod has counted, under its name.
fn count(pod: &str, counters: &Counters) {
    for (series, value) in [
        ("drain_notifications_sent", counters.drain_notifications_sent),
        ("graceful_logouts_total", counters.graceful_logouts),
        ("forced_logouts_total", counters.forced_logouts),
        ("total_logins", counters.logins),
        ("lastcall_admin_pod_auto_logouts_total", counters.auto_logouts),
        ("lastcall_admin_pod_moved_total", counters.moved),
    ] {
        counter!(series, "pod" => pod.to_owned()).absolute(value);
    }
}

#[cfg(test)]
mod tests {
    use fleet::{Address, DiscoveredPod, Fleet, PodEvent};
    use session_domain::PodName;
    use test_support::metric;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn report(phase: Phase, forced_logout_at: Option<Timestamp>) -> PodReport {
        PodReport {
            pod: PodName::new("user-1").unwrap(),
            phase,
            started_at: at(0),
            drain_started_at: None,
            forced_logout_at,
            active_sessions: 0,
            present_sessions: Some(0),
            ready: Some(true),
            revision: "".into(),
            version: String::new(),
            counters: Counters { logins: 7, ..Counters::default() },
            is_final: false,
        }
    }

    fn page(fleet: &Fleet, now: i64) -> String {
        render(&fleet.view(), &Streams::new(CancellationToken::new()), 0, at(now))
    }

    #[test]
    fn a_drain_is_told_by_phase_and_deadline_while_the_pod_is_heard() {
        let address = Address::new("10.0.0.1:9091");
        let mut fleet = Fleet::new();
        fleet.apply_discovery(&[DiscoveredPod::at(address.clone())], at(0));
        let series = |fleet: &Fleet, now| {
            let page = page(fleet, now);
            let phases = Phase::ALL.map(|phase| {
                metric(&page, &format!(r#"lastcall_admin_pod_phase{{pod="user-1",phase="{}"}}"#, phase.as_str()))
            });
            (phases, metric(&page, r#"lastcall_admin_pod_forced_logout_timestamp_seconds{pod="user-1"}"#))
        };
        let only = |phase| Phase::ALL.map(|each| Some(f64::from(u8::from(each == phase))));
        // Only the end of a snapshot makes a pod one that is heard.
        for (phase, deadline) in [(Phase::Serving, None), (Phase::Draining, Some(at(60))), (Phase::Propagating, None)] {
            fleet.apply(&address, PodEvent::WatchStarted, at(1));
            fleet.apply(&address, PodEvent::Report(report(phase, deadline)), at(1));
            fleet.apply(&address, PodEvent::Snapshot { sessions: Vec::new(), end: true }, at(1));
            assert_eq!(series(&fleet, 2), (only(phase), deadline.map(|_| 60.0)), "{phase}");
        }
        fleet.apply(
            &address,
            PodEvent::Report(PodReport { is_final: true, ..report(Phase::Propagating, None) }),
            at(3),
        );
        assert_eq!(series(&fleet, 4), ([None; 4], None), "it has finished");
    }

    #[test]
    fn a_gone_pods_counters_stay_ten_minutes_while_its_gauges_go() {
        let address = Address::new("10.0.0.1:9091");
        let mut fleet = Fleet::new();
        fleet.apply_discovery(&[DiscoveredPod::at(address.clone())], at(0));
        let last = PodReport { is_final: true, ..report(Phase::Propagating, None) };
        fleet.apply(&address, PodEvent::Report(last), at(100));
        let series = |fleet: &Fleet, now| {
            let page = page(fleet, now);
            [r#"total_logins{pod="user-1"}"#, r#"lastcall_admin_pod_up{pod="user-1"}"#].map(|name| metric(&page, name))
        };
        assert_eq!(series(&fleet, 101), [Some(7.0), None], "it has finished, and is not missed though it is named");
        fleet.apply_discovery(&[], at(102));
        assert_eq!(series(&fleet, 103), [Some(7.0), None]);
        for (now, counter) in [(200, Some(7.0)), (700, Some(7.0)), (701, None)] {
            fleet.expire(at(now));
            assert_eq!(series(&fleet, now), [counter, None], "{now} s");
        }
        assert!(fleet.view().pods().is_empty());
    }
}
