//! The events that the drain task waits for.

use std::time::Duration;

use session_domain::lifecycle::{Event, Lifecycle};
use session_domain::registry::Census;
use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::service_state::ServiceState;

/// Waits until something changes that is known of the store; without a store, for ever.
pub(super) async fn change<T>(watched: Option<&mut watch::Receiver<T>>) {
    let changed = match watched {
        Some(watched) => watched.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending().await
    }
}

/// Waits until a session starts, ends, or becomes present or absent; for ever while the drain counts no sessions.
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
