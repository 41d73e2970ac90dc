//! Every series of the service: names, help texts and units, in one place.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Recorder, Unit};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use session_domain::{Outcome, TaskOutcome};

use super::{OpenCounts, Snapshot};
use crate::page_reports::PageWithoutNotice;

const REQUEST_SECONDS: &str = "lastcall_http_request_duration_seconds";
const DRAIN_SECONDS: &str = "lastcall_drain_seconds";

/// The names of Lastcall's histograms, and the upper bounds of their buckets in seconds. An app's own recorder needs them, so that the
/// histograms come out as such and not as summaries.
pub const HISTOGRAM_BUCKETS: [(&str, [f64; 9]); 2] = [
    (REQUEST_SECONDS, [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0]),
    (DRAIN_SECONDS, [1.0, 5.0, 15.0, 30.0, 60.0, 90.0, 120.0, 300.0, 900.0]),
];

/// The names without the prefix.
const UNPREFIXED: [&str; 5] = [
    "active_sessions_total",
    "drain_notifications_sent",
    "graceful_logouts_total",
    "forced_logouts_total",
    "total_logins",
];

/// Whether a series of this name, as Prometheus reads it, is the service's own.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with("lastcall_") || UNPREFIXED.contains(&name)
}

/// Whether a series is of the proxy in front of an app that is not built on this library, which records it.
pub(super) fn is_of_upstream(name: &str) -> bool {
    name.starts_with("lastcall_upstream_") || name == "lastcall_pages_without_notice_total"
}

/// Handles to the service's series in one recorder.
pub(super) struct Instruments {
    active_sessions: Gauge,
    notified: Counter,
    graceful_logouts: Counter,
    forced_logouts: Counter,
    logins: Counter,
    ends: [(Outcome, Counter); 5],
    adopted: Counter,
    asked_to_move: Counter,
    tasks_active: Gauge,
    tasks: [(TaskOutcome, Counter); 3],
    sessions_present: Gauge,
    event_streams: Gauge,
    sessions_protected: Gauge,
    requests_cut: Counter,
    newcomers_refused: Counter,
    websocket_connections: Gauge,
    drain_seconds: Histogram,
    requests: [Histogram; 5],
    store_up: Gauge,
    store_readable: Gauge,
    store_writable: Gauge,
    store_errors: Counter,
    log_lines_dropped: Counter,
    /// Empty where the app is not behind Lastcall.
    pages_without_notice: Vec<(PageWithoutNotice, Counter)>,
    /// `None` where the app is not behind Lastcall.
    requests_unresolved: Option<Counter>,
}

impl Instruments {
    /// Describes and registers all series, so that each exists from the start.
    pub(super) fn register(recorder: &(impl Recorder + ?Sized), version: &str, counts_pages: bool) -> Self {
        metrics::with_local_recorder(&recorder, || {
            describe();
            gauge!("lastcall_build_info", "version" => version.to_owned()).set(1.0);
            let mut instruments = Self::new();
            if counts_pages {
                instruments.pages_without_notice = pages();
                instruments.requests_unresolved = Some(requests_unresolved());
            }
            instruments
        })
    }

    fn new() -> Self {
        let end = |outcome: Outcome| (outcome, counter!("lastcall_session_ends_total", "outcome" => outcome.as_str()));
        let task = |outcome: TaskOutcome| (outcome, counter!("lastcall_tasks_total", "outcome" => outcome.as_str()));
        Self {
            active_sessions: gauge!("active_sessions_total"),
            notified: counter!("drain_notifications_sent"),
            graceful_logouts: counter!("graceful_logouts_total"),
            forced_logouts: counter!("forced_logouts_total"),
            logins: counter!("total_logins"),
            ends: Outcome::ALL.map(end),
            adopted: counter!("lastcall_sessions_adopted_total"),
            asked_to_move: counter!("lastcall_sessions_asked_to_move_total"),
            tasks_active: gauge!("lastcall_tasks_active"),
            tasks: TaskOutcome::ALL.map(task),
            sessions_present: gauge!("lastcall_sessions_present"),
            event_streams: gauge!("lastcall_event_streams"),
            sessions_protected: gauge!("lastcall_sessions_protected"),
            requests_cut: counter!("lastcall_requests_cut_total"),
            newcomers_refused: counter!("lastcall_newcomers_refused_total"),
            websocket_connections: gauge!("lastcall_websocket_connections"),
            drain_seconds: histogram!(DRAIN_SECONDS),
            requests: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| histogram!(REQUEST_SECONDS, "status" => class)),
            store_up: gauge!("lastcall_store_up"),
            store_readable: gauge!("lastcall_store_readable"),
            store_writable: gauge!("lastcall_store_writable"),
            store_errors: counter!("lastcall_store_errors_total"),
            log_lines_dropped: counter!("lastcall_log_lines_dropped_total"),
            pages_without_notice: Vec::new(),
            requests_unresolved: None,
        }
    }

    /// Sets the values that are counted elsewhere.
    pub(super) fn set(&self, snapshot: &Snapshot, open: OpenCounts, dropped_log_lines: u64) {
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; no pod has 2^53 sessions")]
        let float = |number: u64| number as f64;
        let (totals, store) = (&snapshot.totals, &snapshot.store);
        self.active_sessions.set(float(snapshot.active_sessions));
        self.sessions_present.set(float(snapshot.present_sessions));
        self.sessions_protected.set(float(snapshot.sessions_with_work));
        self.requests_cut.absolute(snapshot.requests_cut);
        self.newcomers_refused.absolute(snapshot.newcomers_refused);
        self.event_streams.set(float(open.streams));
        self.websocket_connections.set(float(open.websockets));
        self.notified.absolute(totals.notified);
        self.graceful_logouts.absolute(totals.graceful);
        self.forced_logouts.absolute(totals.ended(Outcome::Forced));
        self.logins.absolute(totals.logins);
        self.adopted.absolute(totals.adopted);
        self.asked_to_move.absolute(totals.asked_to_move);
        for (outcome, counter) in &self.ends {
            counter.absolute(totals.ended(*outcome));
        }
        self.tasks_active.set(float(snapshot.tasks.running));
        for (outcome, counter) in &self.tasks {
            counter.absolute(snapshot.tasks.ended(*outcome));
        }
        let flag = |is_set: bool| f64::from(u8::from(is_set));
        self.store_up.set(flag(store.is_reachable));
        self.store_readable.set(flag(store.is_readable));
        self.store_writable.set(flag(store.is_writable));
        self.store_errors.absolute(store.errors);
        self.log_lines_dropped.absolute(dropped_log_lines);
    }

    pub(super) fn request(&self, status: http::StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.requests[class].record(took.as_secs_f64());
    }

    pub(super) fn page_without_notice(&self, reason: PageWithoutNotice) {
        if let Some((_, counter)) = self.pages_without_notice.iter().find(|(known, _)| *known == reason) {
            counter.increment(1);
        }
    }

    pub(super) fn request_unresolved(&self) {
        if let Some(counter) = &self.requests_unresolved {
            counter.increment(1);
        }
    }

    pub(super) fn drained(&self, took: Duration) {
        self.drain_seconds.record(took.as_secs_f64());
    }
}

fn pages() -> Vec<(PageWithoutNotice, Counter)> {
    const NAME: &str = "lastcall_pages_without_notice_total";
    describe_counter!(NAME, "Pages of the app that users see without a notice, by reason.");
    PageWithoutNotice::ALL.map(|reason| (reason, counter!(NAME, "reason" => reason.as_str()))).into()
}

fn requests_unresolved() -> Counter {
    const NAME: &str = "lastcall_requests_unresolved_total";
    describe_counter!(
        NAME,
        "Requests that went to the app without their session, because the session could not be looked up in the store."
    );
    counter!(NAME)
}

fn describe() {
    describe_gauge!("active_sessions_total", "Sessions held by this pod, present or not.");
    describe_counter!("drain_notifications_sent", "Sessions notified of a drain or maintenance, once a notice.");
    describe_counter!("graceful_logouts_total", "Logouts of notified sessions while the notice ran.");
    describe_counter!("forced_logouts_total", "Sessions that were present and force-closed at the deadline.");
    describe_counter!("total_logins", "Sessions started by this pod.");
    describe_counter!("lastcall_session_ends_total", "Sessions that ended, by outcome.");
    describe_counter!("lastcall_sessions_adopted_total", "Sessions adopted from another pod.");
    describe_counter!(
        "lastcall_sessions_asked_to_move_total",
        "Sessions that were asked to move to another pod during a shutdown, once each."
    );
    describe_gauge!("lastcall_sessions_present", "Sessions that are present: those that a drain would wait for.");
    describe_gauge!("lastcall_event_streams", "Event streams open now.");
    describe_gauge!("lastcall_websocket_connections", "WebSockets open now.");
    describe_gauge!(
        "lastcall_sessions_protected",
        "Sessions with protected work in progress on this pod, wherever they live."
    );
    describe_counter!(
        "lastcall_requests_cut_total",
        "Uploads and downloads that were cut when the time of their session was over."
    );
    describe_counter!(
        "lastcall_newcomers_refused_total",
        "Newcomers that got 429 because too many came from their address within a minute."
    );
    describe_gauge!("lastcall_tasks_active", "Tasks that run on this pod now.");
    describe_counter!(
        "lastcall_tasks_total",
        "Tasks that ended: done, lapsed with their lease, or cut with their session or the time of a drain."
    );
    describe_histogram!(DRAIN_SECONDS, Unit::Seconds, "From SIGTERM to the end of the last present session.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "From a request's head to its response's, by status class.");
    describe_gauge!("lastcall_store_up", "Whether the session store answers: 1, or 0 while not.");
    describe_gauge!("lastcall_store_readable", "Whether the session store can be read: 1, or 0 while not.");
    describe_gauge!("lastcall_store_writable", "Whether the session store takes writes: 1, or 0 while not.");
    describe_counter!("lastcall_store_errors_total", "Operations of the session store that failed.");
    describe_counter!(
        "lastcall_log_lines_dropped_total",
        "Log lines that were dropped because the log was not read fast enough."
    );
    describe_gauge!("lastcall_build_info", "Always 1; the label names the version and the git revision.");
}
