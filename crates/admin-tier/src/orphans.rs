//! Orphans: sessions in the shared store whose pod is gone and that no other pod has adopted yet.
//!
//! No pod reports them, so they are looked up in Redis in the background. A full `SCAN` costs in proportion to the whole
//! store, so it runs only where it can find something new: see [`scanner`]. In between, each check costs in proportion to
//! the number of pods and of known orphans.

mod scanner;
mod store;
mod store_lookup;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cli::secret::SecretString;
use fleet::StoreRecord;
use scanner::Scanner;
use session_domain::{PodName, SessionId, Timestamp, UserName};
pub(crate) use store_lookup::{PodQueries, StoreLookup};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;

/// How often the store is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How many orphans are listed; the others are only counted.
const MAX_LISTED: usize = 1_000;

/// A session that no pod holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orphan {
    pub(crate) id: SessionId,
    pub(crate) user: UserName,
    /// The pod that held it.
    pub(crate) pod: String,
    pub(crate) login_time: Option<Timestamp>,
    pub(crate) last_activity: Option<Timestamp>,
}

/// The result of the last check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans {
    /// The first orphans, up to [`MAX_LISTED`].
    pub(crate) listed: Vec<Orphan>,
    /// The number of all orphans.
    pub(crate) total: u64,
    /// When the last successful check ended; `None` before the first.
    pub(crate) as_of: Option<Timestamp>,
    /// Why the store cannot be checked now.
    pub(crate) error: Option<String>,
    /// When the last successful check began.
    pub(crate) started_at: Option<Timestamp>,
    /// What the store knows of the pods that were asked about.
    pub(crate) pod_records: HashMap<PodName, StoreRecord>,
}

/// Checks the store until `stop` is cancelled.
pub(crate) async fn run(
    url: SecretString,
    queries: watch::Receiver<PodQueries>,
    found: watch::Sender<Arc<Orphans>>,
    stop: CancellationToken,
) {
    let mut scanner = Scanner::new(url);
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let (started_at, queries) = (clock::now(), queries.borrow().clone());
        let Some(checked) = stop.run_until_cancelled(scanner.check(MAX_LISTED, &queries)).await else { return };
        let before = Arc::clone(&found.borrow());
        let now = match checked {
            Ok(scanner::Checked { listed, total, pod_records }) => {
                if before.error.is_some() {
                    info!("Redis can be reached again: orphans are up to date");
                }
                let (started_at, as_of) = (Some(started_at), Some(clock::now()));
                Orphans { listed, total, as_of, error: None, started_at, pod_records }
            }
            Err(error) => {
                let error = error.to_string();
                if before.error.is_none() {
                    warn!(error, "Redis cannot be reached: orphans are shown as of the last check");
                }
                Orphans { error: Some(error), ..(*before).clone() }
            }
        };
        found.send_replace(Arc::new(now));
    }
}
