//! Orphans: sessions in Redis whose pod is gone and that no other pod has taken over yet. Nobody holds them, so no pod
//! tells of them; they are looked for in Redis itself, page by page, in the background.

mod link;
mod scan;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cli::secret::SecretString;
use fleet::StoreRecord;
pub(crate) use link::StoreLink;
use session_domain::{PodName, SessionId, Timestamp, UserName};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;

/// How often Redis is looked through. A look costs it some hundred small pages, not one long stop.
const EVERY: Duration = Duration::from_secs(5);

/// Orphans that are listed; what is more is only counted.
const MOST_LISTED: usize = 1_000;

/// A session that nobody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orphan {
    pub(crate) id: SessionId,
    pub(crate) user: UserName,
    /// The pod that had it.
    pub(crate) pod: String,
    pub(crate) login_time: Option<Timestamp>,
    pub(crate) last_activity: Option<Timestamp>,
}

/// What the last look has found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans {
    /// The first of them.
    pub(crate) listed: Vec<Orphan>,
    /// All of them.
    pub(crate) total: u64,
    /// When that was true; none: nobody has looked yet.
    pub(crate) as_of: Option<Timestamp>,
    /// Why nobody can look now.
    pub(crate) error: Option<String>,
    /// When the look began.
    pub(crate) began: Option<Timestamp>,
    /// What the store knows of the pods that were asked for.
    pub(crate) of_pods: HashMap<PodName, StoreRecord>,
}

/// Pods that are to be looked for, and whether their sessions are, too.
pub(crate) type Question = Vec<(PodName, bool)>;

/// Looks until `stop` is cancelled.
pub(crate) async fn look(
    url: SecretString,
    question: watch::Receiver<Question>,
    found: watch::Sender<Arc<Orphans>>,
    stop: CancellationToken,
) {
    let mut scanner = scan::Scanner::new(url);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let (began, asked) = (clock::now(), question.borrow().clone());
        let Some(scanned) = stop.run_until_cancelled(scanner.scan(MOST_LISTED, &asked)).await else { return };
        let before = Arc::clone(&found.borrow());
        let now = match scanned {
            Ok(scan::Scanned { listed, total, of_pods }) => {
                if before.error.is_some() {
                    info!("Redis is back: orphans are looked for again");
                }
                Orphans { listed, total, as_of: Some(clock::now()), error: None, began: Some(began), of_pods }
            }
            Err(error) => {
                let error = error.to_string();
                if before.error.is_none() {
                    warn!(error, "Redis is away: orphans are as they were last seen");
                }
                Orphans { error: Some(error), ..(*before).clone() }
            }
        };
        found.send_replace(Arc::new(now));
    }
}
