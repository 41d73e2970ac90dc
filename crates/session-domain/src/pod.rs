//! What a pod reports of itself: its phase, its deadlines and its counters.

use std::fmt;
use std::sync::Arc;

use crate::ids::PodName;
use crate::time::Timestamp;

/// The phase of a pod. There is no phase for a stopped pod, because it reports nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It admits new sessions.
    Serving,
    /// It admits no new sessions until maintenance is turned off.
    Maintenance,
    /// It shuts down and waits for its users.
    Draining,
    /// It shuts down and gives load balancers time to remove its endpoint; no session is left.
    Propagating,
    /// It shuts down and closes its resources, such as its database connections.
    Closing,
}

impl Phase {
    /// All phases, in the order in which a pod passes through them.
    pub const ALL: [Self; 5] = [Self::Serving, Self::Maintenance, Self::Draining, Self::Propagating, Self::Closing];

    /// The phase in lower case, as the admin tier's API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Maintenance => "maintenance",
            Self::Draining => "draining",
            Self::Propagating => "propagating",
            Self::Closing => "closing",
        }
    }

    /// Whether the pod shuts down: it never serves newcomers again.
    pub const fn is_shutting_down(self) -> bool {
        match self {
            Self::Serving | Self::Maintenance => false,
            Self::Draining | Self::Propagating | Self::Closing => true,
        }
    }

    /// Whether the pod waits for work in progress no longer.
    pub const fn is_past_work(self) -> bool {
        match self {
            Self::Serving | Self::Maintenance | Self::Draining => false,
            Self::Propagating | Self::Closing => true,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a pod has counted since it started. The counters never decrease; `websocket_connections` is a gauge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sessions that were notified, once for each notice. A cancelled notice stays counted.
    pub drain_notifications_sent: u64,
    /// Logouts of notified sessions while the notice ran.
    pub graceful_logouts: u64,
    /// The graceful logouts that the browser did by itself at the end of a countdown.
    pub auto_logouts: u64,
    /// Sessions that were present at the deadline and force-closed.
    pub forced_logouts: u64,
    /// Sessions that were asked to move to another pod, once each.
    pub asked_to_move: u64,
    /// Sessions that moved to another pod.
    pub moved: u64,
    /// Sessions that began on this pod.
    pub logins: u64,
    /// WebSockets that are open now.
    pub websocket_connections: u64,
}

impl Counters {
    /// Adds the counters of another pod.
    pub const fn add(&mut self, other: &Self) {
        let Self {
            drain_notifications_sent,
            graceful_logouts,
            auto_logouts,
            forced_logouts,
            asked_to_move,
            moved,
            logins,
            websocket_connections,
        } = other;
        self.drain_notifications_sent = self.drain_notifications_sent.saturating_add(*drain_notifications_sent);
        self.graceful_logouts = self.graceful_logouts.saturating_add(*graceful_logouts);
        self.auto_logouts = self.auto_logouts.saturating_add(*auto_logouts);
        self.forced_logouts = self.forced_logouts.saturating_add(*forced_logouts);
        self.asked_to_move = self.asked_to_move.saturating_add(*asked_to_move);
        self.moved = self.moved.saturating_add(*moved);
        self.logins = self.logins.saturating_add(*logins);
        self.websocket_connections = self.websocket_connections.saturating_add(*websocket_connections);
    }

    /// The graceful logouts that a user did: all but the automatic ones.
    pub const fn own_logouts(&self) -> u64 {
        self.graceful_logouts.saturating_sub(self.auto_logouts)
    }
}

/// How far the handoff of a pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffState {
    /// The pod waits before it asks the first session to move.
    Delayed,
    /// The pod asks sessions to move.
    Moving,
    /// Asking waits: no other pod can adopt sessions, or the store cannot be read or written.
    Stalled,
}

/// What a pod reports of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodReport {
    /// The pod's name.
    pub pod: PodName,
    /// The pod's phase.
    pub phase: Phase,
    /// When its process started.
    pub started_at: Timestamp,
    /// When the drain or the maintenance countdown began; absent while neither runs.
    pub drain_started_at: Option<Timestamp>,
    /// When the remaining sessions will be force-closed; absent while no countdown runs.
    pub forced_logout_at: Option<Timestamp>,
    /// Sessions held, present or not.
    pub active_sessions: u64,
    /// Sessions that are present; absent if the pod does not report it.
    pub present_sessions: Option<u64>,
    /// Sessions with work in progress that a drain waits for, those included that another pod has adopted in the meantime;
    /// absent if the pod does not report it.
    pub protected_sessions: Option<u64>,
    /// How far the handoff of its sessions has come; absent where none runs, or the pod does not report it.
    pub handoff: Option<HandoffState>,
    /// Whether `/ready` answers 200; absent if the pod does not report it.
    pub ready: Option<bool>,
    /// The Deployment's revision that the pod belongs to; empty if the pod does not report it.
    pub revision: Arc<str>,
    /// The software's version and git revision.
    pub version: String,
    /// What the pod has counted.
    pub counters: Counters,
    /// Whether this is the pod's last report: it exits now.
    pub is_final: bool,
}

impl PodReport {
    /// The sessions that hold a drain open: the present ones, or all if the pod does not report which are present.
    pub fn present_or_held(&self) -> u64 {
        self.present_sessions.unwrap_or(self.active_sessions)
    }
}
