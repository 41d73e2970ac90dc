//! The notices of a pod, for an app's own jobs, and of a session, for its handlers.
//!
//! Those of a pod follow the lifecycle, not what sessions are notified of: a job has to stop also where no session is there to be
//! notified.

use std::sync::Arc;

use session_domain::Timestamp;
use session_domain::lifecycle::{Lifecycle, Reason, State};
use tokio::sync::watch;

use crate::event_streams::{StreamKind, StreamState};
use crate::notice::{Broadcast, DrainNotice};
use crate::running_notice::RunningNotice;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// Follows the notices of a pod, or those of one session. Reading one of a pod notifies no session.
///
/// A notice of a pod runs from the signal until the process ends, or from the beginning of maintenance until its end, whether or not
/// users are there. Its time is that to the forced end of sessions; without sessions, that to the end of the process.
#[derive(Clone)]
pub struct Notices {
    state: Arc<ServiceState>,
    followed: Followed,
}

#[derive(Clone)]
enum Followed {
    Pod {
        lifecycle: watch::Receiver<Lifecycle>,
        /// What [`Notices::changed`] gave last.
        known: Option<Running>,
    },
    /// Its notices are those of the pod that owns it.
    Session {
        session: ServedSession,
        broadcast: watch::Receiver<Arc<Broadcast>>,
        streams: watch::Receiver<StreamState>,
        /// What [`Notices::changed`] gave last.
        known: Option<RunningNotice>,
        /// What shows the notices.
        kind: StreamKind,
        /// Whether what is read reaches the user: not where a `HEAD` request asks.
        is_shown: bool,
    },
}

/// A notice of the pod that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    reason: Reason,
    /// The forced end of sessions. None where no sessions are waited for.
    deadline: Option<Timestamp>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

impl Notices {
    pub(crate) fn new(state: Arc<ServiceState>) -> Self {
        let lifecycle = state.lifecycle.subscribe();
        let known = running(&lifecycle.borrow());
        Self { state, followed: Followed::Pod { lifecycle, known } }
    }

    pub(crate) fn of_session(
        state: Arc<ServiceState>,
        session: ServedSession,
        kind: StreamKind,
        is_shown: bool,
    ) -> Self {
        let (broadcast, streams) = (state.broadcast.subscribe(), session.streams().subscribe());
        let known = RunningNotice::of(&state, &session);
        Self { state, followed: Followed::Session { session, broadcast, streams, known, kind, is_shown } }
    }

    /// Gives the notice that runs now, if any. One of a session counts as shown to its user, unless a `HEAD` request asks; a session
    /// that has ended has none.
    pub fn current(&self) -> Option<DrainNotice> {
        let now = self.state.clock.now();
        match &self.followed {
            Followed::Pod { lifecycle, .. } => {
                let lifecycle = *lifecycle.borrow();
                let Running { reason, deadline } = running(&lifecycle)?;
                let deadline = deadline.or_else(|| lifecycle.wakes_at()).unwrap_or(now);
                // It concerns the pod, which moves nowhere.
                Some(DrainNotice::new(reason, deadline, self.state.terms(reason, false), now))
            }
            Followed::Session { session, streams, kind, is_shown, .. } => {
                if streams.borrow().closed(*kind, self.state.is_stopping()).is_some() {
                    return None;
                }
                let notice = RunningNotice::of(&self.state, session)?;
                if *is_shown {
                    notice.mark_notified(&self.state, session);
                }
                Some(notice.payload(now))
            }
        }
    }

    /// Whether the followed session has ended, or lives on at another pod. Never true of the notices of a pod. Those of a
    /// [`WebSocket`](crate::WebSocket) go on where the session moves to another pod while this one stops: the WebSocket stays open.
    pub fn has_ended(&self) -> bool {
        match &self.followed {
            Followed::Pod { .. } => false,
            Followed::Session { streams, kind, .. } => {
                streams.borrow().closed(*kind, self.state.is_stopping()).is_some()
            }
        }
    }

    /// Waits for the next change, and gives the notice that runs then. `None` where one was cancelled: maintenance is over. `None`
    /// at once where the session has ended: [`has_ended`](Self::has_ended) tells the two apart.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub async fn changed(&mut self) -> Option<DrainNotice> {
        // The senders live as long as the state and the session, which are held here.
        match &mut self.followed {
            Followed::Pod { lifecycle, known } => {
                let before = *known;
                if let Ok(lifecycle) = lifecycle.wait_for(|lifecycle| running(lifecycle) != before).await {
                    *known = running(&lifecycle);
                }
            }
            Followed::Session { session, broadcast, streams, known, kind, .. } => loop {
                // Seen before they are compared: what comes later wakes.
                broadcast.mark_unchanged();
                if streams.borrow_and_update().closed(*kind, self.state.is_stopping()).is_some() {
                    return None;
                }
                let now = RunningNotice::of(&self.state, session);
                let is_known = match (&now, &*known) {
                    (Some(now), Some(known)) => now.is_same(known),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                if !is_known {
                    *known = now;
                    break;
                }
                tokio::select! {
                    _ = broadcast.changed() => {}
                    _ = streams.changed() => {}
                }
            },
        }
        self.current()
    }

    /// Waits until a notice runs, and gives it; at once where one does. For a session that has ended it waits for ever.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn started(&mut self) -> DrainNotice {
        loop {
            match &mut self.followed {
                Followed::Pod { lifecycle, known } => *known = running(&lifecycle.borrow()),
                Followed::Session { session, known, .. } => *known = RunningNotice::of(&self.state, session),
            }
            if let Some(notice) = self.current() {
                return notice;
            }
            if self.has_ended() {
                return std::future::pending().await;
            }
            self.changed().await;
        }
    }
}

fn running(lifecycle: &Lifecycle) -> Option<Running> {
    let (reason, deadline) = match lifecycle.state() {
        State::Serving => return None,
        State::MaintenanceCountdown { notice, .. }
        | State::MaintenanceFinishing { notice, .. }
        | State::Draining { notice, .. }
        | State::Finishing { notice, .. } => (notice.reason, Some(notice.deadline)),
        State::MaintenanceClosed => (Reason::Maintenance, None),
        State::Propagating { .. } | State::Drained { .. } | State::Closing { .. } | State::Stopped { .. } => {
            (Reason::Shutdown, None)
        }
    };
    Some(Running { reason, deadline })
}
