//! Keeps the pod's lease, and notices when the store goes, returns, or has lost everything.

use std::sync::Arc;
use std::time::Duration;

use session_domain::Phase;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::health::SETTLING;
use super::{LEASE, Sharing, StoreHealth, keys};
use crate::store::{Lease, Renewed};

/// The lease is renewed this often, and a store that is away is tried again: between half and all of it, so that the pods
/// do not all come at once.
const RENEW_INTERVAL: Duration = Duration::from_secs(1);

/// A pod that finds the store empty waits so long before it believes that there is nothing: pods that know better renew
/// their leases within a second, and write what they hold.
const EMPTY_STORE_WAIT: Duration = Duration::from_millis(1_500);

/// Gets in touch with the store.
pub(super) async fn first_contact(sharing: &Sharing) {
    let Some(renewed) = renew(sharing).await else { return };
    keys::agree(sharing, !renewed.is_new).await;
    if renewed.is_new {
        sleep(EMPTY_STORE_WAIT).await;
        keys::agree(sharing, true).await;
    }
}

/// Renews until `stop` is cancelled, and at once where the phase or the store's health changes: other pods have to know.
pub(super) async fn keep(sharing: Arc<Sharing>, stop: CancellationToken) {
    let mut lifecycle = sharing.lifecycle.clone();
    let mut health = sharing.health.subscribe();
    let mut returns = sharing.health.returns();
    loop {
        let pause = RENEW_INTERVAL.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = stop.cancelled() => return,
            () = sharing.leaving.cancelled() => return,
            Ok(()) = lifecycle.changed() => {}
            () = returned(&mut health) => {}
            () = sleep(pause) => {}
        }
        let known_returns = returns;
        let renewed = renew(&sharing).await;
        let Some(renewed) = renewed else {
            tell_whether_it_can_be_read(&sharing).await;
            continue;
        };
        keys::agree(&sharing, true).await;
        returns = sharing.health.returns();
        let now = sharing.clock.now();
        if sharing.health.renewed(renewed.epoch, now) {
            warn!(
                sessions.active = sharing.registry.active(),
                "the session store has lost its data: every session is written again"
            );
            // The inbox begins anew, by whatever clock.
            *super::locked(&sharing.inbox_position) = crate::store::Position::default();
            write_everything(&sharing, true).await;
        } else if returns != known_returns {
            // It may be behind: what it should have and does not is found out by writing it.
            write_everything(&sharing, false).await;
        } else if renewed.lapsed {
            // Others may have adopted sessions of a pod that was not heard of.
            sharing.sweep_all.notify_one();
        }
    }
}

/// Writes what this pod knows to be true, and tells the others to doubt what is absent meanwhile.
async fn write_everything(sharing: &Sharing, is_lost: bool) {
    if is_lost {
        // Pods that start just now have not noticed. A pod that was alone in losing its connection casts no doubt on others.
        let marked = sharing.store.mark_settling(SETTLING).await;
        sharing.health.written(marked, sharing.clock.now());
    }
    sharing.rewrite_ends.notify_one();
    sharing.registry.walk(|session| {
        if is_lost {
            sharing.write_anew(session);
        } else {
            sharing.registry.queue_write(session);
        }
    });
}

/// A store that takes no writes may be read, or not.
async fn tell_whether_it_can_be_read(sharing: &Sharing) {
    if sharing.health() == StoreHealth::ReadOnly {
        let contents = sharing.store.contents().await;
        sharing.health.read(contents, sharing.clock.now());
    }
}

/// Waits until the store takes writes where it did not.
async fn returned(health: &mut tokio::sync::watch::Receiver<StoreHealth>) {
    let is_over = health.wait_for(|health| !health.is_writable()).await.is_err()
        || health.wait_for(|health| health.is_writable()).await.is_err();
    if is_over {
        std::future::pending().await
    }
}

/// Renews once.
async fn renew(sharing: &Sharing) -> Option<Renewed> {
    let phase = sharing.lifecycle.borrow().phase();
    let lease = Lease {
        pod: sharing.config.pod.clone(),
        draining: matches!(phase, Phase::Draining | Phase::Propagating),
        notice: sharing.notice(),
        duration: LEASE,
    };
    let renewed = sharing.store.renew(&lease).await;
    let first = sharing.health.now() == StoreHealth::Unknown;
    let renewed = sharing.health.written(renewed, sharing.clock.now())?;
    if first {
        sharing.health.renewed(renewed.epoch, sharing.clock.now());
    }
    Some(renewed)
}
