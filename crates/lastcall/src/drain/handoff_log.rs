//! What the log says of a handoff besides the lines of the drain: that asking waits and why, that it resumes, and how the handoff ended.
//! One line for each change, none for each tick.

use std::fmt;
use std::time::Duration;

use session_domain::lifecycle::{Lifecycle, LogLine, Population, State};
use session_domain::{Outcome, Phase, Timestamp, Totals};
use tracing::{info, warn};

use crate::service_state::ServiceState;

/// What was logged of the handoff of one pod.
#[derive(Debug, Default)]
pub(super) struct HandoffLog {
    /// The counters at the signal. `None` before a handoff, and after its summary.
    begun: Option<Totals>,
    /// What asking waits for, as logged last.
    blocked_by: Option<Blocker>,
    /// The sessions that had moved when the countdown ended, and those that were present then.
    at_deadline: Option<(u64, u64)>,
}

/// What keeps sessions from moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocker {
    Unreadable,
    Unwritable,
    NoTarget,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "the session store does not answer",
            Self::Unwritable => "the session store does not accept writes",
            Self::NoTarget => "no other pod serves and has room: start one, or wait until one is ready",
        })
    }
}

impl HandoffLog {
    /// Looks at a transition of the machine before its effects are performed.
    pub(super) fn observe(
        &mut self,
        state: &ServiceState,
        machine: &Lifecycle,
        now: Timestamp,
        population: &Population,
    ) {
        match machine.state() {
            State::Draining { handoff: Some(handoff), .. } => {
                self.begun.get_or_insert_with(|| state.registry.totals());
                if now >= handoff.asks_from && population.present > 0 {
                    let blocker = handoff.is_stalled.then(|| blocker(state));
                    self.record(blocker, population.present);
                }
            }
            _ if self.begun.is_some() && self.at_deadline.is_none() => {
                let moved = state.registry.totals().ended(Outcome::Moved);
                self.at_deadline = Some((moved, population.present));
            }
            _ => {}
        }
    }

    fn record(&mut self, blocker: Option<Blocker>, present: u64) {
        if self.blocked_by == blocker {
            return;
        }
        match (blocker, self.blocked_by) {
            (Some(blocker), _) => {
                warn!(sessions.present = present, "handoff: no session is asked to move for now: {blocker}");
            }
            (None, _) => info!(sessions.present = present, "handoff: sessions are asked to move again"),
        }
        self.blocked_by = blocker;
    }

    /// Sums the handoff up before the line that begins the propagation, or before the last line where the operator hurried.
    pub(super) fn before_line(&mut self, state: &ServiceState, line: &LogLine, machine: &Lifecycle, now: Timestamp) {
        if !matches!(line, LogLine::WaitingForEndpoints(_) | LogLine::ShuttingDown)
            || machine.phase() < Phase::Propagating
        {
            return;
        }
        let (Some(before), Some((moved_by_deadline, remaining))) = (self.begun.take(), self.at_deadline) else {
            return;
        };
        let totals = state.registry.totals();
        let moved = |totals: &Totals| totals.ended(Outcome::Moved);
        let duration = machine.drain_started_at().map_or(Duration::ZERO, |since| now.since(since));
        info!(
            sessions.asked = totals.asked_to_move.saturating_sub(before.asked_to_move),
            sessions.moved = moved_by_deadline.saturating_sub(moved(&before)),
            sessions.notified = totals.notified.saturating_sub(before.notified),
            sessions.remaining = remaining,
            sessions.released = moved(&totals).saturating_sub(moved_by_deadline),
            duration_seconds = duration.as_secs_f64(),
            "handoff: ended"
        );
    }
}

fn blocker(state: &ServiceState) -> Blocker {
    match state.sessions.sharing().map(|sharing| sharing.health()) {
        Some(health) if !health.is_readable() => Blocker::Unreadable,
        Some(health) if !health.is_writable() => Blocker::Unwritable,
        _ => Blocker::NoTarget,
    }
}
