//! Keeps the pod's lease, and notices when the store goes, returns, or has lost everything.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use session_domain::Phase;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{LEASE, Sharing, locked};
use crate::pod::Pod;
use crate::store::Epoch;

/// The lease is renewed this often, and a store that is away is tried again: between half and all of it, so that the pods
/// do not all come at once.
const RENEW: Duration = Duration::from_secs(1);

/// Renews until `stop` is cancelled, and at once where the phase changes: others may have a draining pod's sessions.
pub(super) async fn keep(pod: Arc<Pod>, mut epoch: Option<Epoch>, stop: CancellationToken) {
    let Some(sharing) = &pod.sharing else { return };
    let mut lifecycle = pod.lifecycle.subscribe();
    loop {
        let pause = RENEW.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = stop.cancelled() => return,
            _ = lifecycle.changed() => {}
            () = sleep(pause) => {}
        }
        let Some(now) = renew(&pod, sharing).await else { continue };
        if epoch.replace(now).is_some_and(|before| before != now) {
            warn!(
                sessions.active = pod.sessions.active(),
                "the session store has lost its data: every session is written again"
            );
            pod.sessions.walk(|session| pod.write_anew(session));
        }
    }
}

/// Renews once.
pub(super) async fn renew(pod: &Pod, sharing: &Sharing) -> Option<Epoch> {
    let draining = matches!(pod.lifecycle.borrow().phase(), Phase::Draining | Phase::Propagating);
    let renewed = sharing.store.renew(&pod.config.pod, draining, LEASE).await;
    let epoch = sharing.heard(renewed, pod.clock.now())?;
    agree_on_secret(pod, sharing).await;
    Some(epoch)
}

/// Signs with the secret that the pods have agreed on. Asked again and again: a store that came back empty gets ours, and
/// whoever was alone meanwhile finds the others'.
async fn agree_on_secret(pod: &Pod, sharing: &Sharing) {
    let Some(secret) = &sharing.secret else { return };
    let ours = locked(secret).clone();
    let agreed = sharing.store.agree_on_secret(&ours).await;
    let Some(agreed) = sharing.heard(agreed, pod.clock.now()) else { return };
    let mut secret = locked(secret);
    if sharing.has_agreed.swap(true, Ordering::AcqRel) && *secret == agreed {
        return;
    }
    match pod.keys.load().led_by(&agreed) {
        Ok(keys) => {
            pod.keys.store(Arc::new(keys));
            *secret = agreed;
        }
        Err(weak) => error!(%weak, "the shared signing key in the store is no good; delete lastcall:session-key there"),
    }
}
