//! What the log says when the health of the store changes. Each change is logged once.

use tracing::{error, info, warn};

use crate::store::StoreError;
use crate::store_health::StoreHealth;

pub(super) fn recovery(from: StoreHealth) {
    match from {
        StoreHealth::Unknown => info!("sessions are shared through the store"),
        StoreHealth::ReadOnly => info!("the session store takes writes again"),
        StoreHealth::LoginRefused { .. }
        | StoreHealth::Unavailable
        | StoreHealth::Unreadable
        | StoreHealth::Healthy { .. } => info!("the session store is available again"),
    }
}

pub(super) fn failure(error: &StoreError) {
    match error {
        StoreError::Unavailable(reason) => {
            warn!(reason, "the session store is unavailable: serving goes on, changes are kept and written later");
        }
        StoreError::LoginRefused(reason) => error!(
            reason,
            "the session store refuses the login: correct user and password in REDIS_URL, or the account's permissions; \
             a pod that never had access does not become ready"
        ),
        StoreError::NotReadable(reason) => {
            warn!(reason, "the session store answers and cannot be read: serving goes on, changes are kept");
        }
        StoreError::NotWritable(reason) => {
            warn!(reason, "the session store takes no writes: changes are kept and written later");
        }
        StoreError::PartlyUnavailable(reason) => partial_outage(reason),
        StoreError::Refused(reason) => warn!(reason, "the session store refused an operation"),
    }
}

pub(super) fn partial_outage(reason: &str) {
    warn!(reason, "a part of the session store is unavailable: changes of its sessions are written later");
}

pub(super) fn partial_outage_over() {
    info!("no part of the session store is unavailable any more");
}
