//! A guard for each open stream, WebSocket and request of a session.

use std::sync::Arc;

use super::Registry;
use super::live_session::LiveSession;
use super::presence::PresenceKind;
use crate::time::Timestamp;

/// Keeps a session present while something of it is open.
///
/// The caller closes it with [`Presence::close`], which takes the time. A guard that is only dropped counts as closed at
/// the session's last activity.
#[derive(Debug)]
#[must_use = "dropping the guard closes what it stands for"]
pub struct Presence<X> {
    registry: Arc<Registry<X>>,
    session: Arc<LiveSession<X>>,
    kind: PresenceKind,
    closed_at: Option<Timestamp>,
}

impl<X> Presence<X> {
    /// Counts something as open.
    pub fn open(registry: &Arc<Registry<X>>, session: &Arc<LiveSession<X>>, kind: PresenceKind) -> Self {
        if session.connections.open(kind) {
            (registry.population_changed)();
        }
        if kind == PresenceKind::Request && session.is_moved() {
            // It moved after the request had found it.
            registry.keep_moved_request(session);
        }
        registry.queue_change(session);
        Self { registry: Arc::clone(registry), session: Arc::clone(session), kind, closed_at: None }
    }

    /// Counts it as closed.
    pub fn close(mut self, now: Timestamp) {
        self.closed_at = Some(now);
    }

    /// The session that is kept present.
    pub const fn session(&self) -> &Arc<LiveSession<X>> {
        &self.session
    }
}

impl<X> Drop for Presence<X> {
    fn drop(&mut self) {
        let at = self.closed_at.unwrap_or_else(|| self.session.last_activity());
        // A shutdown waits for the requests of a session that moved, not for its streams.
        let is_last = self.session.connections.close(self.kind, at);
        if is_last || (self.kind == PresenceKind::Request && self.session.is_moved()) {
            (self.registry.population_changed)();
        }
        self.registry.queue_change(&self.session);
    }
}

#[cfg(test)]
mod tests;
