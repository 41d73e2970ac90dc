//! One open event stream: all fragments first, then changed ones, until the sign-in ends or the tier stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use http_support::sse;
use serde::Serialize;
use serde_json::json;
use session_domain::Timestamp;
use tokio::sync::mpsc::Permit;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Fragments, PageData};
use crate::auth::SignInGuard;
use crate::clock;

/// How often a heartbeat is sent. A page that hears nothing for two of them opens another stream.
pub(super) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

/// How long a client may read nothing before its stream is cut.
pub(super) const SLOW_READER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a stream lasts. The page then opens another one, and that request renews the sign-in cookie.
pub(super) const MAX_STREAM_DURATION: Duration = Duration::from_secs(10 * 60);

/// The data of an event, with the server's time.
#[derive(Serialize)]
struct TimestampedData<T> {
    at: Timestamp,
    #[serde(flatten)]
    data: T,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndReason {
    /// The sign-in has ended.
    SignedOut,
    /// The tier stops.
    Stopping,
    /// The stream has lasted for its full duration.
    Renew,
    /// The client has gone or does not read.
    Disconnected,
}

/// Counts streams that were disconnected. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamCounters {
    cut: Arc<AtomicU64>,
}

impl StreamCounters {
    /// Counts a stream that was disconnected because its client read nothing.
    pub(super) fn record_cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }
}

/// One open event stream.
pub(super) struct EventStream<R> {
    sender: mpsc::Sender<Bytes>,
    page_data: watch::Receiver<Arc<PageData>>,
    /// The sign-in that the stream ends with, where there is one.
    sign_in: Option<SignInGuard>,
    render: R,
    stop: CancellationToken,
    counters: StreamCounters,
    /// What the page shows.
    shown: Arc<Fragments>,
}

impl<R: FnMut(&Arc<PageData>) -> Arc<Fragments>> EventStream<R> {
    pub(super) fn new(
        sender: mpsc::Sender<Bytes>,
        page_data: watch::Receiver<Arc<PageData>>,
        sign_in: Option<SignInGuard>,
        render: R,
        stop: CancellationToken,
        counters: StreamCounters,
    ) -> Self {
        Self { sender, page_data, sign_in, render, stop, counters, shown: Arc::default() }
    }

    /// Sends events until the stream ends.
    pub(super) async fn run(mut self, first: Arc<PageData>) {
        let reason = match self.send_events(&first).await {
            EndReason::SignedOut => "signed-out",
            EndReason::Stopping => "stopping",
            EndReason::Renew => "renew",
            EndReason::Disconnected => return,
        };
        // A client that does not read misses the event `end`: the stream ends without waiting for it.
        let _ = self.sender.try_send(event("end", json!({ "reason": reason })));
    }

    async fn send_events(&mut self, first: &Arc<PageData>) -> EndReason {
        let end = Instant::now() + MAX_STREAM_DURATION;
        let mut heartbeats = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
        self.shown = (self.render)(first);
        let mut next = Some(event("snapshot", self.shown.all()));
        let sender = self.sender.clone();
        loop {
            let permit = match reserve(&sender, &self.stop, &self.counters).await {
                Ok(permit) => permit,
                Err(reason) => return reason,
            };
            if let Some(bytes) = next.take() {
                permit.send(bytes);
                continue;
            }
            drop(permit);
            tokio::select! {
                () = self.stop.cancelled() => return EndReason::Stopping,
                () = sender.closed() => return EndReason::Disconnected,
                () = ended(self.sign_in.as_mut()) => return EndReason::SignedOut,
                () = sleep_until(end) => return EndReason::Renew,
                changed = self.page_data.changed() => {
                    if changed.is_err() {
                        return EndReason::Stopping;
                    }
                    next = self.changes();
                }
                _ = heartbeats.tick() => {
                    if self.sign_in.as_ref().is_some_and(SignInGuard::is_over) {
                        return EndReason::SignedOut;
                    }
                    next = Some(event("heartbeat", json!({})));
                }
            }
        }
    }

    /// Renders the newest page data; returns the event that says what has changed.
    fn changes(&mut self) -> Option<Bytes> {
        let page_data = Arc::clone(&self.page_data.borrow_and_update());
        let now = (self.render)(&page_data);
        let bytes = now.changes_since(&self.shown).map(|changes| event("delta", changes));
        self.shown = now;
        bytes
    }
}

/// Waits until the client has read what was sent before.
async fn reserve<'a>(
    sender: &'a mpsc::Sender<Bytes>,
    stop: &CancellationToken,
    counters: &StreamCounters,
) -> Result<Permit<'a, Bytes>, EndReason> {
    tokio::select! {
        () = stop.cancelled() => Err(EndReason::Stopping),
        permit = timeout(SLOW_READER_TIMEOUT, sender.reserve()) => match permit {
            Ok(permit) => permit.map_err(|_| EndReason::Disconnected),
            Err(_) => {
                counters.record_cut();
                Err(EndReason::Disconnected)
            }
        },
    }
}

async fn ended(sign_in: Option<&mut SignInGuard>) {
    match sign_in {
        Some(sign_in) => sign_in.ended().await,
        None => std::future::pending().await,
    }
}

/// Encodes an event, with the server's time.
fn event(name: &str, data: impl Serialize) -> Bytes {
    sse::encode(name, &TimestampedData { at: clock::now(), data })
}

#[cfg(test)]
mod tests;
