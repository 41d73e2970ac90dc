//! [`AppState`]: everything that handlers read and act on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::response::Response;
use fleet::FleetView;
use http::HeaderMap;

use crate::audit::Audit;
use crate::auth::Auth;
use crate::error::AppError;
use crate::fleet_task::Commands;
use crate::live::{EventStreams, Fragments, PageData, PageSources};
use crate::maintenance::Maintenance;
use crate::operator::Operator;
use crate::orphans::Orphans;

/// The state that the router hands to every handler. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct AppState {
    /// Where pages and API read what they show.
    pub(crate) sources: PageSources,
    /// The event streams of open pages.
    pub(crate) event_streams: EventStreams,
    /// `REFRESH_INTERVAL`: how often pages without scripts reload.
    pub(crate) refresh_interval: Duration,
    /// How operators are authenticated.
    pub(crate) auth: Auth,
    /// The audit log.
    pub(crate) audit: Audit,
    /// The maintenance switch, where one is configured.
    pub(crate) maintenance: Option<Maintenance>,
    /// Commands to the fleet task.
    pub(crate) commands: Commands,
    /// The number of log lines dropped so far.
    pub(crate) dropped_log_lines: Arc<AtomicU64>,
}

impl AppState {
    /// Returns the fleet as it was last published.
    pub(crate) fn view(&self) -> Arc<FleetView> {
        Arc::clone(&self.sources.views.borrow())
    }

    /// Returns the result of the last scan for orphans; `None` without a shared store.
    pub(crate) fn orphans(&self) -> Option<Arc<Orphans>> {
        self.sources.orphans.as_ref().map(|orphans| Arc::clone(&orphans.borrow()))
    }

    /// Returns what pages show now.
    pub(crate) fn page_data(&self) -> PageData {
        self.sources.page_data()
    }

    /// Returns the number of log lines dropped so far.
    pub(crate) fn dropped_log_lines(&self) -> u64 {
        self.dropped_log_lines.load(Ordering::Relaxed)
    }

    /// Opens an event stream of what `render` makes of the page data. It ends with the operator's sign-in.
    ///
    /// # Errors
    /// Where too many streams are open.
    pub(crate) fn open_event_stream<R>(
        &self,
        operator: &Operator,
        headers: &HeaderMap,
        render: R,
    ) -> Result<Response, AppError>
    where
        R: FnMut(&Arc<PageData>) -> Arc<Fragments> + Send + 'static,
    {
        self.event_streams.open(self.auth.sign_in_guard(operator, headers), render)
    }
}
