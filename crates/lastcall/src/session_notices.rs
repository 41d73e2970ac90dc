//! The notices of one session: those of the pod that owns it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::notice::{Broadcast, DrainNotice};
use crate::running_notice::RunningNotice;
use crate::service_state::ServiceState;
use crate::sessions::Held;
use crate::streams::StreamState;

/// Follows the notices of one session. Each that is read counts the session as notified: show it.
#[derive(Clone)]
pub struct SessionNotices {
    state: Arc<ServiceState>,
    session: Held,
    broadcast: watch::Receiver<Arc<Broadcast>>,
    streams: watch::Receiver<StreamState>,
}

impl std::fmt::Debug for SessionNotices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionNotices").field("session", &self.session.id()).finish_non_exhaustive()
    }
}

impl SessionNotices {
    pub(crate) fn new(state: Arc<ServiceState>, session: Held) -> Self {
        let (broadcast, streams) = (state.broadcast.subscribe(), session.streams().subscribe());
        Self { state, session, broadcast, streams }
    }

    /// Gives the notice that runs now, if any.
    pub fn current(&self) -> Option<DrainNotice> {
        let notice = RunningNotice::of(&self.state, &self.session)?;
        notice.mark_notified(&self.state, &self.session);
        Some(notice.payload(self.state.clock.now()))
    }

    /// Waits for the next change, and gives the notice that runs then: `None` where it was cancelled, or the session has ended.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub async fn changed(&mut self) -> Option<DrainNotice> {
        // The senders live as long as the state and the session, which are held here.
        tokio::select! {
            _ = self.broadcast.changed() => {}
            _ = self.streams.changed() => {}
        }
        if self.streams.borrow().closed.is_some() { None } else { self.current() }
    }
}
