//! Renews the pod's lease, and notices when the store goes, returns, or has lost its data.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Sharing, keys};
use crate::store::{Lease, LeaseRenewal};
use crate::store_health::SETTLING;
use crate::store_health::StoreHealth;

/// A pod whose lease is not renewed for this long is gone.
const LEASE_DURATION: Duration = Duration::from_secs(5);

/// How often the lease is renewed, and a store that is unavailable is tried again. A random part of up to a half is taken off, so
/// that the pods do not all come at once.
const RENEW_INTERVAL: Duration = Duration::from_secs(1);

/// A pod that finds the store empty waits this long before it believes that no session exists: other pods renew their leases within
/// a second, and write their sessions.
const EMPTY_STORE_WAIT: Duration = Duration::from_millis(1_500);

/// Reaches the store for the first time.
pub(super) async fn first_contact(sharing: &Sharing) {
    let Some(renewed) = renew(sharing).await else { return };
    keys::agree(sharing, !renewed.is_new).await;
    if renewed.is_new {
        sleep(EMPTY_STORE_WAIT).await;
        keys::agree(sharing, true).await;
    }
}

/// Renews until `stop` is cancelled or the lease is released. Renews at once where the phase changes, or whether the pod adopts sessions,
/// so that other pods know it, and where the store recovers.
pub(super) async fn run(sharing: Arc<Sharing>, stop: CancellationToken) {
    let mut lifecycle = sharing.lifecycle.clone();
    let mut health = sharing.health.subscribe();
    let mut recoveries = sharing.health.recoveries();
    loop {
        let pause = RENEW_INTERVAL.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = stop.cancelled() => return,
            () = sharing.lease_released.cancelled() => return,
            Ok(()) = lifecycle.changed() => {}
            () = sharing.adopter_changed() => {}
            () = recovered(&mut health) => {}
            () = sleep(pause) => {}
        }
        let known_recoveries = recoveries;
        let renewed = renew(&sharing).await;
        let Some(renewed) = renewed else {
            check_readable(&sharing).await;
            continue;
        };
        keys::agree(&sharing, true).await;
        recoveries = sharing.health.recoveries();
        let now = sharing.clock.now();
        if sharing.health.record_epoch(renewed.epoch, now) {
            warn!(
                sessions.active = sharing.registry.active(),
                "the session store has lost its data: writing every session again"
            );
            sharing.inbox.restart();
            rewrite_all(&sharing, true).await;
            sharing.health.record_stored_epoch(renewed.epoch);
        } else if recoveries != known_recoveries {
            // It may be behind: writing finds the entries that it should have and does not.
            rewrite_all(&sharing, false).await;
        } else if renewed.had_lapsed {
            // Other pods may have adopted sessions meanwhile.
            sharing.sweep_all.notify_one();
        }
    }
}

/// Writes all sessions and recent ends again. Where the store has lost its data, asks the other pods to doubt absent entries
/// meanwhile.
async fn rewrite_all(sharing: &Sharing, is_lost: bool) {
    if is_lost {
        // A pod that starts just now has not noticed. A pod that only lost its own connection casts no doubt on the others.
        let marked = sharing.store.mark_settling(SETTLING).await;
        sharing.health.record_write(marked, sharing.clock.now());
    }
    sharing.rewrite_ends.notify_one();
    sharing.rewrite_tasks();
    sharing.registry.walk(|session| {
        if is_lost {
            sharing.rewrite_lost(session);
        } else {
            sharing.registry.queue_write(session);
        }
    });
}

/// Finds out whether a store that takes no writes can be read.
async fn check_readable(sharing: &Sharing) {
    if sharing.health() == StoreHealth::ReadOnly {
        let contents = sharing.store.contents().await;
        sharing.health.record_read(contents, sharing.clock.now());
    }
}

/// Waits until the store takes writes again after it took none.
async fn recovered(health: &mut tokio::sync::watch::Receiver<StoreHealth>) {
    let is_closed = health.wait_for(|health| !health.is_writable()).await.is_err()
        || health.wait_for(|health| health.is_writable()).await.is_err();
    if is_closed {
        std::future::pending().await
    }
}

/// Renews the lease once.
async fn renew(sharing: &Sharing) -> Option<LeaseRenewal> {
    let phase = sharing.lifecycle.borrow().phase();
    let lease = Lease {
        pod: sharing.config.pod.clone(),
        draining: phase.is_shutting_down(),
        adopter: sharing.declare_adopter(),
        notice: sharing.notice(),
        duration: LEASE_DURATION,
    };
    let renewed = sharing.store.renew_lease(&lease).await;
    let first = sharing.health.now() == StoreHealth::Unknown;
    let renewed = sharing.health.record_write(renewed, sharing.clock.now())?;
    if first {
        sharing.health.record_epoch(renewed.epoch, sharing.clock.now());
        sharing.health.record_stored_epoch(renewed.epoch);
    }
    Some(renewed)
}
