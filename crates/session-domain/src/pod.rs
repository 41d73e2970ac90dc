//! A pod as everybody but itself sees it: its phase, its deadlines and its counters.

use std::fmt;
use std::sync::Arc;

use crate::ids::PodName;
use crate::time::Timestamp;

/// How far a pod has come. A pod that has stopped is not seen any more, so there is no such phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Takes newcomers.
    Serving,
    /// Takes no newcomers, until maintenance is switched off.
    Maintenance,
    /// Will stop; waits for its users.
    Draining,
    /// Will stop; nobody is left, the endpoints get their time to follow.
    Propagating,
}

impl Phase {
    /// Every phase, in the order in which a pod goes through them.
    pub const ALL: [Self; 4] = [Self::Serving, Self::Maintenance, Self::Draining, Self::Propagating];

    /// The phase in lower case, as the admin tier's API and pages write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Maintenance => "maintenance",
            Self::Draining => "draining",
            Self::Propagating => "propagating",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a pod has counted since it started. Counters only grow, but for the first: cancelling a notice
/// takes nothing back from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sessions that were told of a notice, once for each notice.
    pub drain_notifications_sent: u64,
    /// Logouts of sessions that had been told, while the notice ran.
    pub graceful_logouts: u64,
    /// Of the graceful logouts those that the browser did by itself at the end of a countdown.
    pub auto_logouts: u64,
    /// Sessions that were present and force-closed.
    pub forced_logouts: u64,
    /// Sessions that go on at another pod.
    pub moved: u64,
    /// Sessions that began here.
    pub logins: u64,
    /// WebSockets open now.
    pub websocket_connections: u64,
}

impl Counters {
    /// Adds what another pod has counted.
    pub const fn add(&mut self, other: &Self) {
        let Self {
            drain_notifications_sent,
            graceful_logouts,
            auto_logouts,
            forced_logouts,
            moved,
            logins,
            websocket_connections,
        } = other;
        self.drain_notifications_sent = self.drain_notifications_sent.saturating_add(*drain_notifications_sent);
        self.graceful_logouts = self.graceful_logouts.saturating_add(*graceful_logouts);
        self.auto_logouts = self.auto_logouts.saturating_add(*auto_logouts);
        self.forced_logouts = self.forced_logouts.saturating_add(*forced_logouts);
        self.moved = self.moved.saturating_add(*moved);
        self.logins = self.logins.saturating_add(*logins);
        self.websocket_connections = self.websocket_connections.saturating_add(*websocket_connections);
    }

    /// Logouts in time that somebody did themselves: graceful ones, without those that the browser did at the end.
    pub const fn own_logouts(&self) -> u64 {
        self.graceful_logouts.saturating_sub(self.auto_logouts)
    }
}

/// What a pod says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodReport {
    /// The pod's name.
    pub pod: PodName,
    /// How far it has come.
    pub phase: Phase,
    /// When its process started.
    pub started_at: Timestamp,
    /// When the drain or the maintenance countdown began; absent while none runs.
    pub drain_started_at: Option<Timestamp>,
    /// When who is left will be force-closed; absent while no countdown runs.
    pub forced_logout_at: Option<Timestamp>,
    /// Sessions held, present or not.
    pub active_sessions: u64,
    /// Sessions that are present; absent where the pod does not say.
    pub present_sessions: Option<u64>,
    /// Whether `/ready` succeeds: whether it wants newcomers; absent where the pod does not say.
    pub ready: Option<bool>,
    /// What a Deployment's revision is called that the pod belongs to; empty where the pod does not say.
    pub revision: Arc<str>,
    /// The software's version and git revision.
    pub version: String,
    /// What it has counted.
    pub counters: Counters,
    /// Whether this is the pod's last word: it exits now.
    pub is_final: bool,
}

impl PodReport {
    /// Sessions that hold a drain open: those that are present. Of a pod that does not say which are, all that it holds.
    pub fn present_or_held(&self) -> u64 {
        self.present_sessions.unwrap_or(self.active_sessions)
    }
}
