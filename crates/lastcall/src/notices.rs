//! The notices of a pod, for an app's own jobs: work that is done beside requests and had better stop before the pod does.

use std::sync::Arc;

use tokio::sync::watch;

use crate::notice::{Broadcast, DrainNotice};
use crate::running_notice::RunningNotice;
use crate::service_state::ServiceState;
use crate::sessions::Held;
use crate::streams::StreamState;

/// Follows the notices of a pod, or those of one session. Reading one of a pod notifies no session.
#[derive(Clone)]
pub struct Notices {
    state: Arc<ServiceState>,
    broadcast: watch::Receiver<Arc<Broadcast>>,
    session: Option<Followed>,
}

/// The session whose notices are followed: those of the pod that owns it.
#[derive(Clone)]
struct Followed {
    session: Held,
    streams: watch::Receiver<StreamState>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

impl Notices {
    pub(crate) fn new(state: Arc<ServiceState>) -> Self {
        let broadcast = state.broadcast.subscribe();
        Self { state, broadcast, session: None }
    }

    pub(crate) fn of_session(state: Arc<ServiceState>, session: Held) -> Self {
        let streams = session.streams().subscribe();
        Self { session: Some(Followed { session, streams }), ..Self::new(state) }
    }

    /// Gives the notice that runs now, if any. One of a session counts as shown to its user.
    pub fn current(&self) -> Option<DrainNotice> {
        if let Some(Followed { session, .. }) = &self.session {
            let notice = RunningNotice::of(&self.state, session)?;
            notice.mark_notified(&self.state, session);
            return Some(notice.payload(self.state.clock.now()));
        }
        let broadcast = Arc::clone(&self.broadcast.borrow());
        let (notice, terms) = broadcast.notice()?;
        Some(DrainNotice::new(notice.reason, notice.deadline, terms, self.state.clock.now()))
    }

    /// Waits for the next change, and gives the notice that runs then: `None` where one was cancelled, or is over.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub async fn changed(&mut self) -> Option<DrainNotice> {
        // The senders live as long as the state and the session, which are held here.
        match &mut self.session {
            Some(followed) => tokio::select! {
                _ = self.broadcast.changed() => {}
                _ = followed.streams.changed() => {}
            },
            None => _ = self.broadcast.changed().await,
        }
        self.current()
    }

    /// Waits until a notice runs, and gives it; at once where one does.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn started(&mut self) -> DrainNotice {
        self.broadcast.mark_unchanged();
        loop {
            match self.current() {
                Some(notice) => return notice,
                None => _ = self.changed().await,
            }
        }
    }
}
