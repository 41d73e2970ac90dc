//! The metrics of one service: its own exporter, into which the app can record, too, and the app's own recorder, if it supplies one.
//!
//! The registry keeps the counts. They are copied into the recorders at each scrape and once a second, so that a request records only
//! its own duration. Nothing here is global: two services in one process share no series.

mod app_recorder;
mod names;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub use ::metrics::*;
pub use app_recorder::AppRecorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
pub use names::HISTOGRAM_BUCKETS;
use names::Instruments;
use session_domain::{TaskTotals, Totals};

use crate::page_reports::PageWithoutNotice;

/// The app's recorder and buckets.
#[derive(Default)]
pub(crate) struct MetricsOptions {
    /// The app's own recorder.
    pub(crate) recorder: Option<Box<dyn Recorder + Send + Sync>>,
    /// Buckets of histograms, by name.
    pub(crate) buckets: Vec<(String, Vec<f64>)>,
    /// Whether pages that users see without notice are counted.
    pub(crate) counts_pages: bool,
}

/// The values that are counted elsewhere, at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Snapshot {
    /// Sessions that the pod holds.
    pub(crate) active_sessions: u64,
    /// Sessions that a drain would wait for.
    pub(crate) present_sessions: u64,
    /// Sessions with work in progress on this pod.
    pub(crate) sessions_with_work: u64,
    /// Requests that were cut because the time of their session was over.
    pub(crate) requests_cut: u64,
    /// Newcomers that were refused because too many came from their address.
    pub(crate) newcomers_refused: u64,
    /// The totals since the start of the pod.
    pub(crate) totals: Totals,
    /// The tasks of the pod.
    pub(crate) tasks: TaskTotals,
    pub(crate) store: StoreSnapshot,
}

/// The health of the session store at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreSnapshot {
    pub(crate) is_reachable: bool,
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
    /// Operations that failed since the start.
    pub(crate) errors: u64,
}

impl Default for StoreSnapshot {
    /// The store in the memory of this process, which is always available.
    fn default() -> Self {
        Self { is_reachable: true, is_readable: true, is_writable: true, errors: 0 }
    }
}

/// The metrics of one service.
pub(crate) struct Metrics {
    exporter: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    instruments: Instruments,
    /// The same series in the app's own recorder, which lives as long as they do.
    elsewhere: Option<(Instruments, Box<dyn Recorder + Send + Sync>)>,
    has_refused_a_name: Arc<AtomicBool>,
    open_streams: Arc<AtomicU64>,
    open_websockets: Arc<AtomicU64>,
    dropped_log_lines: Arc<AtomicU64>,
}

impl Metrics {
    /// `dropped_log_lines` is counted by the writer of the log.
    pub(crate) fn new(version: &str, dropped_log_lines: Arc<AtomicU64>, options: MetricsOptions) -> Self {
        let exporter = exporter(options.buckets);
        Self {
            handle: exporter.handle(),
            instruments: Instruments::register(&exporter, version, options.counts_pages),
            exporter: Arc::new(exporter),
            elsewhere: options
                .recorder
                .map(|recorder| (Instruments::register(&recorder, version, options.counts_pages), recorder)),
            has_refused_a_name: Arc::default(),
            open_streams: Arc::default(),
            open_websockets: Arc::default(),
            dropped_log_lines,
        }
    }

    /// A recorder for the app's own series. [`Metrics::render`] includes them.
    pub(crate) fn app_recorder(&self, records_upstream: bool) -> AppRecorder {
        AppRecorder::new(Arc::clone(&self.exporter), Arc::clone(&self.has_refused_a_name), records_upstream)
    }

    /// The metrics of the service and of the app, in Prometheus' text format.
    pub(crate) fn render(&self, snapshot: &Snapshot) -> String {
        self.update(snapshot);
        self.handle.render()
    }

    /// Whether the app's own recorder has to be kept up to date.
    pub(crate) const fn has_another_recorder(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Copies the values that are counted elsewhere into all recorders.
    pub(crate) fn update(&self, snapshot: &Snapshot) {
        let open = OpenCounts {
            streams: self.open_streams.load(Ordering::Relaxed),
            websockets: self.open_websockets.load(Ordering::Relaxed),
        };
        let dropped_log_lines = self.dropped_log_lines.load(Ordering::Relaxed);
        for instruments in self.instruments() {
            instruments.set(snapshot, open, dropped_log_lines);
        }
    }

    /// Bounds the memory of the exporter while it is not scraped.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Records that a request was answered with `status`.
    pub(crate) fn request(&self, status: http::StatusCode, took: Duration) {
        for instruments in self.instruments() {
            instruments.request(status, took);
        }
    }

    /// Counts a page that a user sees without notice.
    pub(crate) fn page_without_notice(&self, reason: PageWithoutNotice) {
        for instruments in self.instruments() {
            instruments.page_without_notice(reason);
        }
    }

    /// Counts a request that goes to the app without its session.
    pub(crate) fn request_unresolved(&self) {
        for instruments in self.instruments() {
            instruments.request_unresolved();
        }
    }

    /// Records the duration of a drain, when no session is present any more.
    pub(crate) fn drained(&self, took: Duration) {
        for instruments in self.instruments() {
            instruments.drained(took);
        }
    }

    /// Counts an open event stream until the guard is dropped. `None` if `max` streams and WebSockets are open already.
    pub(crate) fn open_stream(&self, max: u64) -> Option<OpenStream> {
        OpenStream::count(&self.open_streams, max.saturating_sub(self.open_websockets.load(Ordering::Relaxed)))
    }

    /// Counts an open WebSocket until the guard is dropped. `None` if `max` streams and WebSockets are open already.
    pub(crate) fn open_websocket(&self, max: u64) -> Option<OpenStream> {
        OpenStream::count(&self.open_websockets, max.saturating_sub(self.open_streams.load(Ordering::Relaxed)))
    }

    /// The WebSockets that are open now.
    #[cfg(feature = "introspection")]
    pub(crate) fn open_websockets(&self) -> u64 {
        self.open_websockets.load(Ordering::Relaxed)
    }

    fn instruments(&self) -> impl Iterator<Item = &Instruments> {
        std::iter::once(&self.instruments).chain(self.elsewhere.as_ref().map(|(instruments, _)| instruments))
    }
}

/// The service's own exporter. Buckets that the app gives replace ours.
fn exporter(buckets: Vec<(String, Vec<f64>)>) -> PrometheusRecorder {
    let ours = HISTOGRAM_BUCKETS.map(|(name, buckets)| (name.to_owned(), buckets.to_vec()));
    let mut builder = PrometheusBuilder::new();
    // The exporter refuses an empty list.
    for (name, buckets) in ours.into_iter().chain(buckets).filter(|(_, buckets)| !buckets.is_empty()) {
        builder = builder.set_buckets_for_metric(Matcher::Full(name), &buckets).unwrap_or_default();
    }
    builder.build_recorder()
}

/// What is open at one time.
#[derive(Clone, Copy, Debug)]
struct OpenCounts {
    streams: u64,
    websockets: u64,
}

/// Counts an open event stream or WebSocket while it lives.
#[derive(Debug)]
pub(crate) struct OpenStream(Arc<AtomicU64>);

impl OpenStream {
    fn count(counter: &Arc<AtomicU64>, max: u64) -> Option<Self> {
        let open = |open: u64| (open < max).then_some(open + 1);
        counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, open).ok()?;
        Some(Self(Arc::clone(counter)))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
