//! Counting the sessions that are present.

use std::sync::Arc;

use super::Registry;
use super::live_session::LiveSession;
use crate::lifecycle::Population;
use crate::time::Timestamp;

/// Counts sessions at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The sessions held and present.
    pub population: Population,
    /// When the next session stops being present if nothing else happens; `None` if none does.
    pub next_absence: Option<Timestamp>,
}

impl<X> Registry<X> {
    /// Counts the sessions. Walks all of them.
    pub fn census(&self, now: Timestamp) -> Census {
        let countdown = self.countdown_started_at();
        let mut census = Census::default();
        let with_work = self.sessions_with_work();
        self.walk(|session| {
            census.population.held += 1;
            let presence = session.presence(&self.limits, now, countdown);
            census.population.present += u64::from(presence.is_present);
            census.population.protected += u64::from(session.is_protected());
            if presence.is_present {
                census.population.handoff.count(session);
            }
            if let Some(until) = presence.until {
                census.next_absence = Some(census.next_absence.map_or(until, |next| next.min(until)));
            }
        });
        census.population.requested_elsewhere = self.moved_with_requests();
        census.population.protected_elsewhere = with_work.saturating_sub(census.population.protected);
        census
    }

    /// The sessions that are present. The caller ends them by [`Registry::end_all`] once no other pod can own them.
    pub fn present_sessions(&self, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        let countdown = self.countdown_started_at();
        self.select(|session| session.presence(&self.limits, now, countdown).is_present)
    }

    /// Whether the session is present.
    pub fn is_present(&self, session: &LiveSession<X>, now: Timestamp) -> bool {
        session.presence(&self.limits, now, self.countdown_started_at()).is_present
    }

    /// Queues every session whose presence differs from what watchers were last sent, and returns the number of present
    /// sessions. Presence lapses by time alone, without a change that would queue the session. Walks all sessions.
    pub fn queue_presence_changes(&self, now: Timestamp) -> u64 {
        let countdown = self.countdown_started_at();
        let mut present = 0;
        self.walk(|session| {
            let is_present = session.presence(&self.limits, now, countdown).is_present;
            present += u64::from(is_present);
            if is_present != session.is_reported_present() {
                self.changes.push_updated(session);
            }
        });
        present
    }

    /// Queues the session if a new watcher was sent another presence than the other watchers were last sent, so that all
    /// of them are sent the same.
    pub fn reconcile_reported_presence(&self, session: &Arc<LiveSession<X>>, present: bool) {
        if session.is_reported_present() != present {
            self.changes.push_updated(session);
        }
    }
}
