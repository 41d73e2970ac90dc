//! One pod of the fleet: where it is, what it last said, and how far that can be relied on.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{CLOCK_TOLERANCE, Conditions};
use crate::ids::PodName;
use crate::pod::{Phase, PodReport};
use crate::time::Timestamp;

/// An answer that takes longer than this makes a pod slow.
const SLOW: Duration = Duration::from_secs(1);

/// Where a pod is asked: `host:port`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

impl Address {
    /// Takes an address as it is written.
    pub fn new(address: &str) -> Self {
        Self(address.into())
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the link to a pod stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodState {
    /// No whole snapshot has come yet, and no failure either.
    Waiting,
    /// What is known is what is.
    Live,
    /// It cannot be heard; what is known is its last word.
    Unreachable {
        /// Why.
        reason: String,
        /// Since when.
        since: Timestamp,
    },
    /// It has said its last word and exited.
    Finished,
}

/// What a pod said that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// It has the name of the pod at another address (or is the same pod, listed twice).
    SameName(Address),
    /// It sends sessions of another pod; they are left out.
    OthersSession(PodName),
    /// It sends times further in the future than clocks differ.
    Future(Duration),
    /// One session stood in one snapshot twice; the later one counts.
    SameIdTwice,
    /// It sends more sessions than are kept.
    TooMany,
    /// It sends what makes no sense; that is left out.
    Unsound(String),
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameName(other) => write!(f, "{other} answers under the same name"),
            Self::OthersSession(pod) => write!(f, "sends sessions of pod {pod}, which are left out"),
            Self::Future(ahead) => write!(f, "its clock is {} min ahead", ahead.as_secs() / 60),
            Self::SameIdTwice => f.write_str("sends one session twice"),
            Self::TooMany => f.write_str("sends more sessions than are kept"),
            Self::Unsound(reason) => write!(f, "sends what makes no sense: {reason}"),
        }
    }
}

/// Lies of one pod: one of each kind, so that no liar can fill the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lies(BTreeSet<Lie>);

impl Lies {
    pub(super) fn insert(&mut self, lie: Lie) {
        let is_known = self.0.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(&lie));
        if !is_known {
            self.0.insert(lie);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// How a pod stands, in one word and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing heard yet.
    Waiting,
    /// All is known.
    Live,
    /// It answers, but what it says cannot all be true.
    Lying(String),
    /// It does not answer.
    Unreachable(String),
    /// It has exited, as it said it would.
    Finished,
}

/// A pod as the fleet knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodView {
    /// Where it is asked.
    pub address: Address,
    /// The name that discovery knows it by.
    pub found_as: Option<PodName>,
    /// What discovery says of its state.
    pub conditions: Conditions,
    /// Since when discovery does not name it any more; absent while it does.
    pub vanished: Option<Timestamp>,
    /// What it last said of itself.
    pub report: Option<PodReport>,
    /// Since when it has been in the phase that it last said, as far as that was heard.
    pub phase_since: Option<Timestamp>,
    /// How the link stands.
    pub state: PodState,
    /// When it was last heard.
    pub last_seen: Option<Timestamp>,
    /// Sessions of it that are known.
    pub sessions: u64,
    /// Sessions of it that another pod claims as well: for a moment while a session moves, else a fault.
    pub shared: u64,
    /// Sessions it held when the countdown began that runs now, as far as that was heard.
    pub drained_from: Option<u64>,
    /// How long its last answer took, where that was too long.
    pub slow: Option<Duration>,
    pub(super) lies: Lies,
}

impl PodView {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            found_as: None,
            conditions: Conditions::default(),
            vanished: None,
            report: None,
            phase_since: None,
            state: PodState::Waiting,
            last_seen: None,
            sessions: 0,
            shared: 0,
            drained_from: None,
            slow: None,
            lies: Lies::default(),
        }
    }

    /// The pod's name as it said it, else as discovery knows it, else its address.
    pub fn label(&self) -> &str {
        let name = self.report.as_ref().map(|report| &report.pod).or(self.found_as.as_ref());
        name.map_or(self.address.as_str(), PodName::as_str)
    }

    /// How the pod stands.
    pub fn standing(&self) -> Standing {
        match &self.state {
            PodState::Waiting => Standing::Waiting,
            PodState::Finished => Standing::Finished,
            PodState::Unreachable { reason, .. } => Standing::Unreachable(reason.clone()),
            PodState::Live if self.lies.0.is_empty() => Standing::Live,
            PodState::Live => {
                Standing::Lying(self.lies.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// Whether it answers, truthfully or not.
    pub fn is_reachable(&self) -> bool {
        self.state == PodState::Live
    }

    /// Whether everything it holds is known, and known to be true. Holds for a pod that has finished.
    pub fn is_known(&self) -> bool {
        matches!(self.standing(), Standing::Live | Standing::Finished)
    }

    /// The sessions it says it holds; none once it has finished.
    pub fn active_sessions(&self) -> Option<u64> {
        match self.state {
            PodState::Finished => Some(0),
            _ => self.report.as_ref().map(|report| report.active_sessions),
        }
    }

    pub(super) fn report(&mut self, report: PodReport, now: Timestamp) {
        let before = self.report.as_ref();
        self.drained_from = report.drain_started_at.map(|started| {
            let same = before.is_some_and(|b| b.drain_started_at == Some(started) && b.pod == report.pod);
            let known = if same { self.drained_from } else { before.map(|b| b.active_sessions) };
            known.unwrap_or(0).max(report.active_sessions)
        });
        let ahead = report.started_at.max(report.drain_started_at.unwrap_or_default()).since(now);
        if ahead > CLOCK_TOLERANCE {
            self.lies.insert(Lie::Future(ahead));
        }
        self.state = match (&self.state, report.is_final) {
            (_, true) => PodState::Finished,
            (PodState::Finished, false) => PodState::Waiting,
            (state, false) => state.clone(),
        };
        // The first word of a pod says nothing of how long it has been so.
        if before.is_some_and(|before| before.phase != report.phase) {
            self.phase_since = Some(now);
        }
        self.last_seen = Some(now);
        self.report = Some(report);
    }

    pub(super) fn answered(&mut self, took: Duration, now: Timestamp) {
        self.last_seen = Some(now);
        self.slow = Some(took).filter(|took| *took > SLOW);
    }

    /// A pod that has finished is not lost: it said so.
    pub(super) fn lost(&mut self, reason: String, now: Timestamp) {
        let since = match &self.state {
            PodState::Finished => return,
            PodState::Unreachable { since, .. } => *since,
            PodState::Waiting | PodState::Live => now,
        };
        self.slow = None;
        self.state = PodState::Unreachable { reason, since };
    }

    /// Whether it is up and takes no newcomers because of maintenance.
    pub(super) fn is_in_maintenance(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.phase == Phase::Maintenance)
    }
}
