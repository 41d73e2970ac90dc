//! What the drain task waits for.

use std::time::Duration;

use session_domain::lifecycle::{Event, Lifecycle};
use session_domain::registry::Census;
use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::service_state::ServiceState;
use crate::store_health::StoreHealth;

/// Waits until the health of the store changes; for ever where there is no store.
pub(super) async fn health_change(health: Option<&mut watch::Receiver<StoreHealth>>) {
    let changed = match health {
        Some(health) => health.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending().await
    }
}

/// Waits until sessions come, leave, or become present or absent; for ever where no sessions are counted.
pub(super) async fn population_change(state: &ServiceState, census: Option<Census>) {
    match census {
        Some(_) => state.population_changed.notified().await,
        None => std::future::pending().await,
    }
}

/// Waits for the next timer: the machine's next event, or the next session to become absent.
pub(super) async fn time(state: &ServiceState, machine: &Lifecycle, census: Option<Census>) -> Event {
    // A timer may fire a fraction of a millisecond before its time.
    let instant = |time| state.clock.instant_of(time) + Duration::from_millis(1);
    let due = machine.wakes_at().map(|time| (instant(time), Event::TimePassed));
    let absence = census.and_then(|census| census.next_absence);
    let absence = absence.map(|time| (instant(time), Event::PopulationChanged));
    match due.into_iter().chain(absence).min_by_key(|(instant, _)| *instant) {
        Some((instant, event)) => {
            sleep_until(instant).await;
            event
        }
        None => std::future::pending().await,
    }
}
