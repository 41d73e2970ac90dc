//! The user tier in front of an app.

use test_support::{Person, Signal, UserPod};

use super::super::{in_front_of_url, metric};
use super::app::App;

/// A running pod and its app. Gone when dropped.
pub(super) struct Front {
    pub(super) app: App,
    pod: UserPod,
}

impl Front {
    /// Starts both; `injects`: pages get the script.
    pub(super) async fn start(injects: bool) -> Self {
        let app = App::start().await;
        let options = [("INJECT_SCRIPT", if injects { "true" } else { "false" }), ("DRAIN_TIMEOUT", "1h")];
        Self { pod: in_front_of_url(&app.url, &options).await, app }
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
        metric(&self.pod, &series).await
    }

    /// Begins a countdown of an hour.
    pub(super) fn notify(&self) {
        self.pod.signal(Signal::SIGTERM);
    }
}
