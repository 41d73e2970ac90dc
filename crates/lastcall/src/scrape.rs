//! The service's numbers for its exporter and for the app's recorder, gathered from the parts that count.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::metrics::{Snapshot, StoreSnapshot};
use crate::newcomers::NewcomerLimit;
use crate::service_state::ServiceState;

/// How often the app's own recorder gets the numbers.
const UPDATE_INTERVAL: Duration = Duration::from_secs(1);

/// How often the exporter is tidied where only it has the numbers.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The numbers now, as Prometheus reads them.
pub(crate) fn render(state: &ServiceState) -> String {
    state.metrics.render(&snapshot(state))
}

/// Keeps the app's own recorder up to date, and the exporter small, until `stop` is cancelled. The last numbers are those of
/// that moment.
pub(crate) async fn keep_up_to_date(state: Arc<ServiceState>, stop: CancellationToken) {
    let has_another = state.metrics.has_another_recorder();
    let mut ticks = interval(if has_another { UPDATE_INTERVAL } else { UPKEEP_INTERVAL });
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let stopped = stop.run_until_cancelled(ticks.tick()).await.is_none();
        if has_another {
            state.metrics.update(&snapshot(&state));
        }
        if stopped {
            return;
        }
        state.metrics.upkeep();
    }
}

/// Walks all sessions, to count those that are present.
fn snapshot(state: &ServiceState) -> Snapshot {
    let store = state.sessions.sharing().map(|sharing| {
        let health = sharing.health();
        StoreSnapshot {
            is_reachable: health.is_reachable(),
            is_readable: health.is_readable(),
            is_writable: health.is_writable(),
            errors: sharing.errors(),
        }
    });
    Snapshot {
        active_sessions: state.registry.active(),
        present_sessions: state.count_present(),
        sessions_with_work: state.registry.sessions_with_work(),
        requests_cut: state.transfers.cut_total(),
        newcomers_refused: state.newcomers.as_ref().map_or(0, NewcomerLimit::refused),
        totals: state.registry.totals(),
        tasks: state.registry.task_totals(),
        store: store.unwrap_or_default(),
    }
}
