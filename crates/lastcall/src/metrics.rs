//! Every number that the service exposes: names, help texts and units, in one place.
//!
//! The books are the registry's; they are copied into the recorder when somebody asks, so that a request pays for
//! nothing but its own duration. The recorder belongs to the service: two services in one process do not mix.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use session_domain::Outcome;

use crate::sessions::SessionRegistry;
use crate::sharing::Sharing;
use crate::store_health::StoreHealth;

const REQUEST_SECONDS: &str = "lastcall_http_request_duration_seconds";
const DRAIN_SECONDS: &str = "lastcall_drain_seconds";
const REQUEST_BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
const DRAIN_BUCKETS: [f64; 9] = [1.0, 5.0, 15.0, 30.0, 60.0, 90.0, 120.0, 300.0, 900.0];

/// The numbers of one service.
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    active_sessions: Gauge,
    told: Counter,
    graceful_logouts: Counter,
    forced_logouts: Counter,
    logins: Counter,
    ends: [(Outcome, Counter); 5],
    adopted: Counter,
    sessions_present: Gauge,
    event_streams: Gauge,
    open_streams: Arc<AtomicU64>,
    drain_seconds: Histogram,
    requests: [Histogram; 5],
    store_up: Gauge,
    store_readable: Gauge,
    store_writable: Gauge,
    store_errors: Counter,
    log_lines_dropped: Counter,
    dropped_log_lines: Arc<AtomicU64>,
}

impl Metrics {
    /// `dropped_log_lines` is counted by whoever writes the log.
    pub(crate) fn new(version: &str, dropped_log_lines: Arc<AtomicU64>) -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), &REQUEST_BUCKETS)
            .and_then(|b| b.set_buckets_for_metric(Matcher::Full(DRAIN_SECONDS.to_owned()), &DRAIN_BUCKETS))
            .unwrap_or_default()
            .build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || Self::register(handle, version, dropped_log_lines))
    }

    fn register(handle: PrometheusHandle, version: &str, dropped_log_lines: Arc<AtomicU64>) -> Self {
        use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
        describe_gauge!("active_sessions_total", "Sessions held by this pod, present or not.");
        describe_counter!("drain_notifications_sent", "Sessions told of a drain or maintenance, once a notice.");
        describe_counter!("graceful_logouts_total", "Logouts of told sessions while the notice ran.");
        describe_counter!("forced_logouts_total", "Sessions that were present and force-closed at the deadline.");
        describe_counter!("total_logins", "Sessions started by this pod.");
        describe_counter!("lastcall_session_ends_total", "Sessions that ended, by how they did.");
        describe_counter!("lastcall_sessions_adopted_total", "Sessions taken over from another pod.");
        describe_gauge!("lastcall_sessions_present", "Sessions that are present: those that a drain would wait for.");
        describe_gauge!("lastcall_event_streams", "Event streams open now.");
        describe_gauge!("lastcall_websocket_connections", "WebSockets open now.");
        describe_histogram!(DRAIN_SECONDS, Unit::Seconds, "From SIGTERM to the last present user gone.");
        describe_histogram!(
            REQUEST_SECONDS,
            Unit::Seconds,
            "From a request's head to its response's, by status class."
        );
        describe_gauge!("lastcall_store_up", "Whether the session store answers: 1, or 0 while not.");
        describe_gauge!("lastcall_store_readable", "Whether the session store can be read: 1, or 0 while not.");
        describe_gauge!("lastcall_store_writable", "Whether the session store takes writes: 1, or 0 while not.");
        describe_counter!("lastcall_store_errors_total", "Operations of the session store that failed.");
        describe_counter!(
            "lastcall_log_lines_dropped_total",
            "Log lines that were dropped because nobody read the log fast enough."
        );
        describe_gauge!("lastcall_build_info", "Always 1; the label names the version and the git revision.");
        gauge!("lastcall_build_info", "version" => version.to_owned()).set(1.0);
        gauge!("lastcall_websocket_connections").set(0.0);
        Self {
            active_sessions: gauge!("active_sessions_total"),
            told: counter!("drain_notifications_sent"),
            graceful_logouts: counter!("graceful_logouts_total"),
            forced_logouts: counter!("forced_logouts_total"),
            logins: counter!("total_logins"),
            ends: Outcome::ALL
                .map(|outcome| (outcome, counter!("lastcall_session_ends_total", "outcome" => outcome.as_str()))),
            adopted: counter!("lastcall_sessions_adopted_total"),
            sessions_present: gauge!("lastcall_sessions_present"),
            event_streams: gauge!("lastcall_event_streams"),
            open_streams: Arc::default(),
            drain_seconds: histogram!(DRAIN_SECONDS),
            requests: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| histogram!(REQUEST_SECONDS, "status" => class)),
            store_up: gauge!("lastcall_store_up"),
            store_readable: gauge!("lastcall_store_readable"),
            store_writable: gauge!("lastcall_store_writable"),
            store_errors: counter!("lastcall_store_errors_total"),
            log_lines_dropped: counter!("lastcall_log_lines_dropped_total"),
            dropped_log_lines,
            handle,
        }
    }

    /// The numbers now, as Prometheus reads them; `present` are the sessions that are present.
    pub(crate) fn render(&self, sessions: &SessionRegistry, present: u64, sharing: Option<&Sharing>) -> String {
        self.copy_books(sessions);
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; no pod has 2^53 sessions")]
        self.sessions_present.set(present as f64);
        // The memory of this process always answers.
        let health = sharing.map(Sharing::health);
        let is = |property: fn(StoreHealth) -> bool| f64::from(u8::from(health.is_none_or(property)));
        self.store_up.set(is(StoreHealth::is_reachable));
        self.store_readable.set(is(StoreHealth::is_readable));
        self.store_writable.set(is(StoreHealth::is_writable));
        self.store_errors.absolute(sharing.map_or(0, Sharing::errors));
        self.log_lines_dropped.absolute(self.dropped_log_lines.load(Ordering::Relaxed));
        self.handle.render()
    }

    /// Keeps the recorder from growing while nobody asks.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// A request was answered with `status`.
    pub(crate) fn request(&self, status: http::StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.requests[class].record(took.as_secs_f64());
    }

    /// A drain is over: the last present user is gone.
    pub(crate) fn drained(&self, took: Duration) {
        self.drain_seconds.record(took.as_secs_f64());
    }

    /// Counts an open event stream until the guard is dropped. `None` where `max` are open already.
    pub(crate) fn open_stream(&self, max: u64) -> Option<OpenStream> {
        let open = |open: u64| (open < max).then_some(open + 1);
        self.open_streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, open).ok()?;
        Some(OpenStream(Arc::clone(&self.open_streams)))
    }

    fn copy_books(&self, sessions: &SessionRegistry) {
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; nobody has 2^53 sessions")]
        let float = |number: u64| number as f64;
        let totals = sessions.totals();
        self.active_sessions.set(float(sessions.active()));
        self.told.absolute(totals.notified);
        self.graceful_logouts.absolute(totals.graceful);
        self.forced_logouts.absolute(totals.ended(Outcome::Forced));
        self.logins.absolute(totals.logins);
        self.adopted.absolute(totals.adopted);
        for (outcome, counter) in &self.ends {
            counter.absolute(totals.ended(*outcome));
        }
        self.event_streams.set(float(self.open_streams.load(Ordering::Relaxed)));
    }
}

/// Counts an open event stream while it lives.
#[derive(Debug)]
pub(crate) struct OpenStream(Arc<AtomicU64>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
