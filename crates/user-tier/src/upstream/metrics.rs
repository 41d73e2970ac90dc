//! The series of the app: whether it is there, how long its answers take, and what failed.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use lastcall::AppRecorder;
use lastcall::metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use upstream::ErrorKind;

/// From the request to the head of the answer.
pub(super) const REQUEST_SECONDS: &str = "lastcall_upstream_request_duration_seconds";

/// The upper bounds of its buckets.
pub(super) const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// `Lastcall-User` of the app that is invalid.
pub(super) const INVALID_USER: &str = "invalid_user";

/// The series of the app.
#[derive(Clone)]
pub(super) struct Metrics(Arc<Series>);

struct Series {
    up: Gauge,
    requests: [Histogram; 5],
    errors: Vec<(&'static str, Counter)>,
    available: watch::Receiver<bool>,
}

impl Metrics {
    /// Registers all series, so that each exists from the start.
    pub(super) fn new(recorder: &AppRecorder, available: watch::Receiver<bool>) -> Self {
        with_local_recorder(recorder, || {
            describe_gauge!("lastcall_upstream_up", "Whether the app accepts connections: 1, or 0 while not.");
            describe_histogram!(
                REQUEST_SECONDS,
                "From a request to the app to the head of its answer, by status class, in seconds."
            );
            describe_counter!("lastcall_upstream_errors_total", "Failures of the app, by kind.");
            let kinds = ErrorKind::OF_THE_APP.map(ErrorKind::as_str).into_iter().chain([INVALID_USER]);
            let errors = kinds.map(|kind| (kind, counter!("lastcall_upstream_errors_total", "kind" => kind))).collect();
            let requests =
                ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| histogram!(REQUEST_SECONDS, "status" => class));
            let up = gauge!("lastcall_upstream_up");
            up.set(0.0);
            Self(Arc::new(Series { up, requests, errors, available }))
        })
    }

    /// Keeps `lastcall_upstream_up` up to date until it is aborted.
    pub(super) fn follow_availability(&self) -> AbortHandle {
        let (series, mut available) = (Arc::clone(&self.0), self.0.available.clone());
        let following = async move {
            loop {
                series.up.set(if *available.borrow_and_update() { 1.0 } else { 0.0 });
                if available.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::spawn(following).abort_handle()
    }

    /// The app has answered.
    pub(super) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.0.requests[class].record(took.as_secs_f64());
    }

    /// The app has failed.
    pub(super) fn error(&self, kind: &str) {
        if let Some((_, counter)) = self.0.errors.iter().find(|(name, _)| *name == kind) {
            counter.increment(1);
        }
    }
}
