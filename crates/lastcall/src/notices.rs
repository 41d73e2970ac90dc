//! The notices of a pod, for an app's own jobs: work beside requests that has to stop or pause before the pod does.
//!
//! They follow the lifecycle, not what sessions are notified of: a job has to stop also where no session is there to be notified.

use std::sync::Arc;

use session_domain::Timestamp;
use session_domain::lifecycle::{Lifecycle, Reason, State};
use tokio::sync::watch;

use crate::notice::DrainNotice;
use crate::service_state::ServiceState;

/// Follows the notices of a pod. Reading one notifies no session.
///
/// A notice runs from the signal until the process ends, or from the beginning of maintenance until its end, whether or not users are
/// there. Its time is that to the forced end of sessions; without sessions, that to the end of the process.
#[derive(Clone)]
pub struct Notices {
    state: Arc<ServiceState>,
    lifecycle: watch::Receiver<Lifecycle>,
    /// What [`Notices::changed`] gave last.
    known: Option<Running>,
}

/// A notice that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    reason: Reason,
    /// The forced end of sessions. None where no sessions are waited for.
    deadline: Option<Timestamp>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").field("current", &self.current()).finish_non_exhaustive()
    }
}

impl Notices {
    pub(crate) fn new(state: Arc<ServiceState>) -> Self {
        let lifecycle = state.lifecycle.subscribe();
        let known = running(&lifecycle.borrow());
        Self { state, lifecycle, known }
    }

    /// Gives the notice that runs now, if any.
    pub fn current(&self) -> Option<DrainNotice> {
        let (lifecycle, now) = (*self.lifecycle.borrow(), self.state.clock.now());
        let Running { reason, deadline } = running(&lifecycle)?;
        let deadline = deadline.or_else(|| lifecycle.wakes_at()).unwrap_or(now);
        Some(DrainNotice::new(reason, deadline, self.state.terms(reason), now))
    }

    /// Waits for the next change, and gives the notice that runs then. `None` where one was cancelled: maintenance is over.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub async fn changed(&mut self) -> Option<DrainNotice> {
        let known = self.known;
        let changed = self.lifecycle.wait_for(|lifecycle| running(lifecycle) != known).await;
        match changed.map(|lifecycle| running(&lifecycle)) {
            Ok(running) => self.known = running,
            // The sender lives as long as the state, which lives here.
            Err(_) => std::future::pending().await,
        }
        self.current()
    }

    /// Waits until a notice runs, and gives it; at once where one does.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn started(&mut self) -> DrainNotice {
        loop {
            self.known = running(&self.lifecycle.borrow());
            match self.current() {
                Some(notice) => return notice,
                None => _ = self.changed().await,
            }
        }
    }
}

fn running(lifecycle: &Lifecycle) -> Option<Running> {
    let (reason, deadline) = match lifecycle.state() {
        State::Serving => return None,
        State::MaintenanceCountdown { notice, .. } | State::Draining { notice, .. } => {
            (notice.reason, Some(notice.deadline))
        }
        State::MaintenanceClosed => (Reason::Maintenance, None),
        State::Propagating { .. } | State::Stopped { .. } => (Reason::Shutdown, None),
    };
    Some(Running { reason, deadline })
}
