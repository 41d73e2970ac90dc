//! The help texts of all metrics.

use metrics::{describe_counter, describe_gauge};

/// Describes every metric to the recorder in use.
pub(super) fn describe() {
    describe_gauge!("active_sessions_total", "Sessions held by the pod, present or not.");
    describe_counter!("drain_notifications_sent", "Sessions notified of a drain or maintenance, once for each notice.");
    describe_counter!("graceful_logouts_total", "Logouts of notified sessions while the notice ran.");
    describe_counter!("forced_logouts_total", "Sessions that were present and force-closed at the deadline.");
    describe_counter!("total_logins", "Sessions started by the pod.");
    describe_gauge!(
        "lastcall_admin_pod_up",
        "1 if the pod can be reached, 0 if it is expected and cannot. Absent for a finished pod."
    );
    describe_gauge!("lastcall_admin_pod_phase", "1 for the current phase of the pod, 0 for the other phases.");
    describe_gauge!(
        "lastcall_admin_pod_forced_logout_timestamp_seconds",
        "When the pod force-closes the remaining sessions. Present while a countdown runs."
    );
    describe_gauge!("lastcall_admin_pod_sessions_present", "Present sessions of the pod, if the pod reports presence.");
    describe_gauge!(
        "lastcall_admin_pod_sessions_protected",
        "Sessions of the pod with work in progress that a drain waits for."
    );
    describe_gauge!("lastcall_admin_pod_websocket_connections", "Open WebSockets of the pod.");
    describe_counter!(
        "lastcall_admin_pod_auto_logouts_total",
        "Sessions that their page signed out at the end of a countdown. graceful_logouts_total includes them."
    );
    describe_counter!(
        "lastcall_admin_pod_asked_to_move_total",
        "Sessions that the pod asked to move to another pod during its shutdown, once each."
    );
    describe_counter!("lastcall_admin_pod_moved_total", "Sessions of the pod that continue on another pod.");
    describe_gauge!("lastcall_admin_pods", "Pods that are expected.");
    describe_gauge!(
        "lastcall_admin_discovery_up",
        "1 if discovery works, 0 if it fails and only known pods are shown."
    );
    describe_gauge!("lastcall_admin_sessions", "Sessions of all pods, each counted once.");
    describe_gauge!("lastcall_admin_sessions_present", "Present sessions of all pods, each counted once.");
    describe_gauge!(
        "lastcall_admin_fleet_complete",
        "1 if every pod reports consistent data, 0 if totals leave something out."
    );
    describe_gauge!("lastcall_admin_event_streams", "Open event streams of pages.");
    describe_counter!(
        "lastcall_admin_event_streams_cut_total",
        "Event streams that were closed because they were not read."
    );
    describe_counter!(
        "lastcall_admin_log_lines_dropped_total",
        "Log lines that were dropped because the log was not read fast enough."
    );
    describe_gauge!("lastcall_admin_build_info", "Always 1; the label names the version and the git revision.");
}
