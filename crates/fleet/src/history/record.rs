//! One drain of one pod, as readers see it.

use std::collections::BTreeMap;

use session_domain::lifecycle::Reason;
use session_domain::{Outcome, PodName, SessionId, Timestamp, UserName};

use super::handoff::HandoffRecord;
use super::tally::Tally;

/// The greatest number of sessions of one drain that are kept with their user. The others are only counted.
pub const MAX_NAMED_SESSIONS: usize = 1_000;

/// One drain of one pod.
///
/// The numbers add up: [`total`](Self::total) is the sum of all [`departures`](Self::departures),
/// [`outcome_unknown`](Self::outcome_unknown), [`away`](Self::away) and [`remaining`](Self::remaining).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainRecord {
    /// The pod.
    pub pod: PodName,
    /// Why its users had to leave.
    pub reason: Reason,
    /// When it began, by the pod's clock.
    pub started_at: Timestamp,
    /// When the remaining sessions would be force-closed, as the pod last reported.
    pub deadline: Option<Timestamp>,
    /// When the fleet first saw it. What happened before is not known.
    pub first_seen_at: Timestamp,
    /// Whether it ran already when the fleet first saw the pod, or saw it again.
    pub is_partial: bool,
    /// When no session was present for the first time.
    pub emptied_at: Option<Timestamp>,
    /// How it ended; absent while it runs.
    pub end: Option<DrainEnd>,
    /// The first [`MAX_NAMED_SESSIONS`] sessions that were present, by id.
    pub named_sessions: BTreeMap<SessionId, DrainedSession>,
    /// The number of present sessions over time: the first point is the beginning, each further one a change.
    pub timeline: Vec<(Timestamp, u64)>,
    pub(super) tally: Tally,
    pub(super) handoff: HandoffRecord,
    /// Sessions without a name here that the pod held when it was lost. Some of them may be listed again.
    pub(super) unnamed_lost: u64,
    /// When the running countdown began: later than the drain if a shutdown has overtaken a maintenance.
    pub(super) countdown_started_at: Timestamp,
}

/// How a drain ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// The pod has sent its final report, or its maintenance countdown is over.
    Completed(Timestamp),
    /// The notice was cancelled: the remaining users could stay.
    Cancelled(Timestamp),
    /// The pod became unreachable during the drain and was last seen at this time. What became of the remaining sessions is
    /// not known. If the pod comes back, the drain resumes.
    Lost(Timestamp),
}

/// A session that was present during a drain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainedSession {
    /// The session's user.
    pub user: UserName,
    /// When it left, and its outcome if the pod reported it; absent while the pod holds it.
    pub ended: Option<(Timestamp, Option<Outcome>)>,
    /// Whether the pod still holds it although it is not present any more: all its pages are closed.
    pub is_away: bool,
}

impl DrainEnd {
    /// The time of the end.
    pub const fn at(self) -> Timestamp {
        match self {
            Self::Completed(at) | Self::Cancelled(at) | Self::Lost(at) => at,
        }
    }
}

impl DrainRecord {
    /// The sessions that were present at any time of the drain.
    pub fn total(&self) -> u64 {
        self.tally.total()
    }

    /// The sessions that the pod held and that were never present during the drain. Not part of the other numbers.
    pub fn idle(&self) -> u64 {
        self.tally.idle()
    }

    /// Of the sessions that were present, those that ended with `outcome`.
    pub fn departures(&self, outcome: Outcome) -> u64 {
        self.tally.departed(Some(outcome))
    }

    /// Of the sessions that were present, those whose outcome is not known: the pod did not report it, or was lost.
    pub fn outcome_unknown(&self) -> u64 {
        let lost = if self.is_lost() { self.tally.present + self.tally.away } else { 0 };
        self.tally.departed(None) + lost
    }

    /// The sessions that are present, or were at the end of the drain. 0 for a lost pod.
    pub fn remaining(&self) -> u64 {
        if self.is_lost() { 0 } else { self.tally.present }
    }

    /// The sessions that were present and have closed all pages, and that the pod holds, or held at the end of the drain.
    /// 0 for a lost pod.
    pub fn away(&self) -> u64 {
        if self.is_lost() { 0 } else { self.tally.away }
    }

    /// The sessions that were cut off: force-closed, or signed out by the page at the end of the countdown.
    pub fn cut_off(&self) -> u64 {
        self.departures(Outcome::Forced) + self.departures(Outcome::AutoLogout)
    }

    /// Whether the pod was lost during the drain.
    pub const fn is_lost(&self) -> bool {
        matches!(self.end, Some(DrainEnd::Lost(_)))
    }
}
