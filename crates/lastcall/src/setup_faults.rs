//! Faults in the way an app has set the library up that show only while it serves. Each is logged once for a handle.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, warn};

/// Which faults were logged.
#[derive(Debug, Default)]
pub(crate) struct SetupFaults {
    missing_peer: AtomicBool,
    unsupported_tab_scope: AtomicBool,
}

impl SetupFaults {
    /// Proxies are configured, and a request carries no address of its peer, so that no proxy can be recognized.
    pub(crate) fn missing_peer(&self) {
        if is_first(&self.missing_peer) {
            error!(
                "proxies are configured, but requests carry no peer address: no forwarded field and no user name is accepted; \
                 serve the app by `into_make_service_with_connect_info::<SocketAddr>()`"
            );
        }
    }

    /// Sessions are to be scoped to tabs, and the app has a server of its own, where no path is a tab's.
    pub(crate) fn unsupported_tab_scope(&self) {
        if is_first(&self.unsupported_tab_scope) {
            warn!(
                "`SessionScope::Tab` needs `Lastcall::serve`: behind `Lastcall::layer` sessions have the scope of the browser"
            );
        }
    }
}

fn is_first(was_logged: &AtomicBool) -> bool {
    // Read first: requests after the first one write nothing.
    !was_logged.load(Ordering::Relaxed) && !was_logged.swap(true, Ordering::Relaxed)
}
