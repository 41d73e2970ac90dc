//! The log lines about the health of the store. Each change is logged once.

use tracing::{error, info, warn};

use crate::store::StoreError;
use crate::store_health::StoreHealth;

pub(super) fn recovery(from: StoreHealth) {
    match from {
        StoreHealth::Unknown => info!("sessions are shared through the store"),
        StoreHealth::ReadOnly => info!("the session store accepts writes again"),
        StoreHealth::LoginRefused { .. }
        | StoreHealth::Unavailable
        | StoreHealth::Unreadable
        | StoreHealth::Healthy { .. } => info!("the session store is available again"),
    }
}

pub(super) fn failure(error: &StoreError) {
    match error {
        StoreError::Unavailable(reason) => {
            warn!(reason, "the session store is unavailable: requests are served from memory, changes are queued");
        }
        StoreError::LoginRefused(reason) => error!(
            reason,
            "the session store refuses the login: correct user and password in REDIS_URL, or the account's permissions; \
             a pod that never had access does not become ready"
        ),
        StoreError::NotReadable(reason) => {
            warn!(reason, "the session store cannot be read; requests are served from memory, changes are queued");
        }
        StoreError::NotWritable(reason) => {
            warn!(reason, "the session store refuses writes: changes are queued");
        }
        StoreError::PartlyUnavailable(reason) => partial_outage(reason),
        StoreError::Refused(reason) => warn!(reason, "the session store refused an operation"),
    }
}

pub(super) fn partial_outage(reason: &str) {
    warn!(reason, "a part of the session store is unavailable: changes of its sessions are queued");
}

pub(super) fn partial_outage_over() {
    info!("all parts of the session store are available again");
}

pub(super) fn unresolved() {
    warn!(
        "sessions of other pods cannot be looked up: until they can, their requests go to the app without a session, and keep \
         their cookies"
    );
}
