//! What the pod reports of itself and of its sessions.

use std::sync::Arc;

use session_domain::lifecycle::{Readiness, State};
use session_domain::{Counters, Outcome, PodReport, SessionView};

use crate::service_state::{PodReadiness, ServiceState};
use crate::sessions::LiveSession;

impl ServiceState {
    /// The session as others see it.
    pub(super) fn view(&self, session: &LiveSession) -> SessionView {
        let is_present = self.registry.is_present(session, self.clock.now());
        session.view(&self.config.pod, self.registry.is_notified(session), is_present)
    }

    /// The pod; `present` are the sessions that are present.
    pub(super) fn report(&self, present: u64, is_final: bool) -> PodReport {
        let lifecycle = *self.lifecycle.borrow();
        let totals = self.registry.totals();
        PodReport {
            pod: self.config.pod.clone(),
            phase: lifecycle.phase(),
            started_at: self.clock.started(),
            drain_started_at: lifecycle.drain_started_at(),
            forced_logout_at: lifecycle.deadline(),
            active_sessions: self.registry.active(),
            present_sessions: Some(present),
            protected_sessions: Some(self.registry.sessions_with_work()),
            handoff: match lifecycle.state() {
                State::Draining { handoff, .. } => handoff.map(|handoff| handoff.state()),
                _ => None,
            },
            ready: Some(!is_final && self.readiness() == PodReadiness::Lifecycle(Readiness::Ready)),
            revision: Arc::clone(&self.config.revision),
            version: self.config.version.clone(),
            counters: Counters {
                drain_notifications_sent: totals.notified,
                graceful_logouts: totals.graceful,
                auto_logouts: totals.ended(Outcome::AutoLogout),
                forced_logouts: totals.ended(Outcome::Forced),
                asked_to_move: totals.asked_to_move,
                moved: totals.ended(Outcome::Moved),
                logins: totals.logins,
                websocket_connections: self.metrics.open_websockets(),
            },
            is_final,
        }
    }
}
