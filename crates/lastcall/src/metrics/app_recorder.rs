//! A recorder for the app's own series.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::PrometheusRecorder;
use metrics_exporter_prometheus::formatting::sanitize_metric_name;
use tracing::warn;

use super::names::{is_of_upstream, is_ours};

/// Records an app's own metrics, so that Lastcall's `/metrics` includes them.
///
/// Install it for the whole process by [`metrics::set_global_recorder`], or for a part of it by
/// [`metrics::with_local_recorder`]. Clones record into the same exporter. Histograms come out as summaries, unless the builder
/// was given buckets for them.
///
/// The names of Lastcall's own series (those that begin with `lastcall_`, and the five without that prefix) are not available: a
/// series of such a name is dropped, and the first one is logged as a warning.
#[derive(Clone, Debug)]
pub struct AppRecorder {
    exporter: Arc<PrometheusRecorder>,
    has_refused_a_name: Arc<AtomicBool>,
    /// Whether the series of a proxy in front of a foreign app may be recorded.
    records_upstream: bool,
}

impl AppRecorder {
    pub(super) const fn new(
        exporter: Arc<PrometheusRecorder>,
        has_refused_a_name: Arc<AtomicBool>,
        records_upstream: bool,
    ) -> Self {
        Self { exporter, has_refused_a_name, records_upstream }
    }

    fn takes(&self, name: &str) -> bool {
        let sanitized = sanitize_metric_name(name);
        let takes = !is_ours(&sanitized) || self.records_upstream && is_of_upstream(&sanitized);
        if !takes && !self.has_refused_a_name.swap(true, Ordering::Relaxed) {
            warn!(
                metric.name = name,
                "a metric of the app has the name of one of Lastcall's and is dropped; rename it"
            );
        }
        takes
    }
}

impl Recorder for AppRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        if self.takes(key.as_str()) {
            self.exporter.describe_counter(key, unit, description);
        }
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        if self.takes(key.as_str()) {
            self.exporter.describe_gauge(key, unit, description);
        }
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        if self.takes(key.as_str()) {
            self.exporter.describe_histogram(key, unit, description);
        }
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        if self.takes(key.name()) { self.exporter.register_counter(key, metadata) } else { Counter::noop() }
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        if self.takes(key.name()) { self.exporter.register_gauge(key, metadata) } else { Gauge::noop() }
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        if self.takes(key.name()) { self.exporter.register_histogram(key, metadata) } else { Histogram::noop() }
    }
}
