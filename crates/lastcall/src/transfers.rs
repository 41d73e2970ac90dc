//! Requests in flight whose bodies move: uploads and downloads. A session is protected while one of its bodies moves at
//! [`transfer::MIN_RATE`] or faster, so that a drain waits for it; a stalled one is not waited for.
//!
//! Only large bodies are metered: a short one is over before it could count as moving.

mod metered_body;
mod response_body;
mod transfer;
mod window;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

pub(crate) use metered_body::{MeteredUpload, is_worth_metering};
use parking_lot::Mutex;
pub(crate) use response_body::{DownloadMeter, ResponseBody};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;
pub(crate) use transfer::Transfer;
use window::SAMPLE_INTERVAL;

use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// The metered requests in flight.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    open: Mutex<Vec<Weak<Transfer>>>,
    opened: Notify,
    cut: AtomicU64,
}

impl Transfers {
    /// Begins to meter a request of the session.
    pub(crate) fn open(&self, state: &Arc<ServiceState>, session: &ServedSession) -> Arc<Transfer> {
        let transfer = Arc::new(Transfer::new(state, session.clone()));
        let mut open = self.open.lock();
        open.push(Arc::downgrade(&transfer));
        let is_first = open.len() == 1;
        drop(open);
        if is_first {
            self.opened.notify_one();
        }
        transfer
    }

    /// Cuts the requests of sessions that were force-closed.
    pub(crate) fn cut_of_forced_sessions(&self) {
        self.cut_if(Transfer::is_of_forced_session);
    }

    /// Cuts all of them.
    pub(crate) fn cut_all(&self) {
        self.cut_if(|_| true);
    }

    /// Requests that were cut so far.
    pub(crate) fn cut_total(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    fn cut_if(&self, predicate: impl Fn(&Transfer) -> bool) {
        let open: Vec<_> = self.open.lock().iter().filter_map(Weak::upgrade).collect();
        let cut = open.iter().filter(|transfer| predicate(transfer) && transfer.cut()).count() as u64;
        if cut > 0 {
            self.cut.fetch_add(cut, Ordering::Relaxed);
            warn!(
                requests.cut = cut,
                "uploads and downloads were cut that were not complete when the wait for them ended"
            );
        }
    }

    /// Measures how fast the bodies move. Returns whether any request is in flight.
    fn sample(&self) -> bool {
        let mut live = Vec::new();
        let mut open = self.open.lock();
        open.retain(|transfer| transfer.upgrade().map(|transfer| live.push(transfer)).is_some());
        let is_any_open = !open.is_empty();
        drop(open);
        live.iter().for_each(|transfer| transfer.sample());
        is_any_open
    }
}

/// Measures how fast bodies move until `stop` is cancelled. Sleeps while none is metered.
pub(crate) async fn watch(state: Arc<ServiceState>, stop: CancellationToken) {
    let mut ticks = interval(SAMPLE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let tick = async {
            if !state.transfers.sample() {
                state.transfers.opened.notified().await;
            }
            ticks.tick().await;
        };
        if stop.run_until_cancelled(tick).await.is_none() {
            return;
        }
    }
}
