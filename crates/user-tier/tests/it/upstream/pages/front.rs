//! The user tier in front of an app.

use test_support::{Person, Signal, UserPod, free_port, metric};

use super::app::App;
use crate::pod;

/// A running pod and its app. Gone when dropped.
pub(super) struct Front {
    pub(super) app: App,
    pod: UserPod,
    metrics: String,
}

impl Front {
    /// Starts both; `injects`: pages get the script.
    pub(super) async fn start(injects: bool) -> Self {
        let app = App::start().await;
        let metrics = format!("127.0.0.1:{}", free_port());
        let injects = injects.to_string();
        let options = [
            ("UPSTREAM_URL", app.url.as_str()),
            ("INJECT_SCRIPT", injects.as_str()),
            ("DRAIN_TIMEOUT", "1h"),
            ("METRICS_ADDR", metrics.as_str()),
        ];
        Self { pod: pod(&options).await, app, metrics }
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.pod.url(path)
    }

    pub(super) fn person(&self) -> Person {
        self.pod.person()
    }

    /// How many pages had no notice for this reason.
    pub(super) async fn pages_without_notice(&self, reason: &str) -> f64 {
        let series = format!("lastcall_pages_without_notice_total{{reason=\"{reason}\"}}");
        metric(&Person::new(&self.metrics).text("/metrics").await, &series).unwrap()
    }

    /// Begins a countdown of an hour.
    pub(super) fn notify(&self) {
        self.pod.signal(Signal::SIGTERM);
    }
}
