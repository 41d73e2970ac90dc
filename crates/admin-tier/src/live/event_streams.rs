//! All open event streams: opening them within a limit, counting them, and ending them at shutdown.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::unfold;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use http_support::sse;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::event_stream::{EventStream, StreamCounters};
use super::{Fragments, PageData, PageSources};
use crate::auth::SignInGuard;
use crate::error::AppError;

/// How many streams may be open at a time. Operators are few, and hidden pages close their streams.
const MAX_STREAMS: usize = 256;

/// Opens event streams and knows those that are open. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct EventStreams {
    sources: PageSources,
    page_data: watch::Receiver<Arc<PageData>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    permits: Arc<Semaphore>,
    counters: StreamCounters,
}

impl EventStreams {
    /// Creates an empty set of streams that follow `page_data`. Streams end when `stop` is cancelled.
    pub(crate) fn new(
        sources: PageSources,
        page_data: watch::Receiver<Arc<PageData>>,
        stop: CancellationToken,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(MAX_STREAMS));
        Self { sources, page_data, tasks: TaskTracker::new(), stop, permits, counters: StreamCounters::default() }
    }

    /// Waits until `stop` is cancelled and all streams have ended.
    pub(crate) async fn closed(self) {
        self.stop.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Returns how many streams are open.
    pub(crate) fn open_count(&self) -> u64 {
        (MAX_STREAMS - self.permits.available_permits()) as u64
    }

    /// Returns how many streams were disconnected because their client read nothing.
    pub(crate) fn cut_count(&self) -> u64 {
        self.counters.cut()
    }

    /// Opens a stream of what `render` makes of the page data. It ends with `sign_in`, where there is one.
    ///
    /// # Errors
    /// Where too many streams are open.
    pub(crate) fn open<R>(&self, sign_in: Option<SignInGuard>, render: R) -> Result<Response, AppError>
    where
        R: FnMut(&Arc<PageData>) -> Arc<Fragments> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| too_many_pages())?;
        let (sender, events) = mpsc::channel(1);
        // Marked as seen before the first rendering, so that no later change is missed.
        let mut page_data = self.page_data.clone();
        page_data.mark_unchanged();
        let stream = EventStream::new(sender, page_data, sign_in, render, self.stop.clone(), self.counters.clone());
        let first = Arc::new(self.sources.page_data());
        self.tasks.spawn(stream.run(first));
        Ok(response(events, permit))
    }
}

/// Sends the events. The permit is held as long as the connection lasts.
fn response(events: mpsc::Receiver<Bytes>, permit: OwnedSemaphorePermit) -> Response {
    let body = unfold((events, permit), |(mut events, permit)| async move {
        let bytes = events.recv().await?;
        Some((Ok::<_, Infallible>(bytes), (events, permit)))
    });
    sse::response(Body::from_stream(body))
}

fn too_many_pages() -> AppError {
    let detail = "Too many pages are open. Close one, or wait a moment.";
    AppError::new(StatusCode::SERVICE_UNAVAILABLE, "Too many pages are open", detail)
        .with_headers([(RETRY_AFTER, HeaderValue::from_static("5"))])
        .document_only()
}
