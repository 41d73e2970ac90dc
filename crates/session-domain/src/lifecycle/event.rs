//! What the machine reacts to.

use crate::registry::HandoffCensus;
use crate::time::Timestamp;

/// A signal that asks the process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, as Kubernetes and `kill` send it.
    Term,
    /// SIGINT, as Ctrl-C sends it.
    Int,
    /// SIGQUIT, as Ctrl-\ sends it: drain without waiting.
    Quit,
}

/// Something that happened to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The maintenance switch was turned on, or was on at the start.
    MaintenanceOn,
    /// The maintenance switch was turned off.
    MaintenanceOff,
    /// The process must stop.
    Terminate(Signal),
    /// A drain was asked for without a signal. The process goes on serving after it, until a signal ends it.
    DrainRequested,
    /// Sessions started, ended, or became present, absent, protected or unprotected.
    PopulationChanged,
    /// The work that [`Effect::CloseResources`](super::Effect::CloseResources) began is done.
    ResourcesClosed,
    /// The time of [`Lifecycle::wakes_at`](super::Lifecycle::wakes_at) has come.
    TimePassed,
}

/// Counts the sessions of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// Sessions held, present or not.
    pub held: u64,
    /// Sessions that are present: they count as users and hold a drain open.
    pub present: u64,
    /// Held sessions with [protected work](crate::registry::SessionWork) in progress. They are present, too.
    pub protected: u64,
    /// Sessions with protected work in progress on this pod that other pods hold. A shutdown waits for that work, too.
    pub protected_elsewhere: u64,
    /// Sessions that live at another pod by now and have requests in flight on this one, but no protected work. A handoff waits for
    /// those requests until its deadline.
    pub requested_elsewhere: u64,
    /// Held sessions by how far a handoff has come with them.
    pub handoff: HandoffCensus,
}

impl Population {
    /// Sessions whose protected work a shutdown of this pod would cut.
    pub const fn sessions_with_work(self) -> u64 {
        self.protected + self.protected_elsewhere
    }

    /// Whether a shutdown has to wait for any session, or for its work.
    pub const fn is_waited_for(self) -> bool {
        self.present > 0 || self.sessions_with_work() > 0
    }
}

/// What the machine must know at every event: the time, and the sessions at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The time of the event.
    pub now: Timestamp,
    /// The sessions at that time.
    pub population: Population,
    /// Whether sessions can move: the store takes reads and writes, and another pod serves and is not full.
    pub can_move: bool,
}
