//! One pod of the fleet: where it is, what it last said, and how far that can be relied on.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{CLOCK_TOLERANCE, Conditions, MAX_SESSIONS, MAX_SESSIONS_PER_POD};
use session_domain::{Phase, PodName, PodReport, Timestamp};

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
pub enum Inconsistency {
    /// It has the name of the pod at another address (or is the same pod, listed twice).
    SameName(Address),
    /// It sends sessions of another pod; they are left out.
    ForeignSession(PodName),
    /// It sends times further in the future than clocks differ.
    ClockAhead(Duration),
    /// One session stood in one snapshot twice; the later one counts.
    DuplicateId,
    /// It lists more sessions than are kept of one pod; those beyond are left out.
    TooManySessions,
    /// All pods together list more sessions than are kept, and this one more than its share; those beyond are left out.
    TooManyInFleet,
    /// It sends what makes no sense; that is left out.
    InvalidMessage(String),
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameName(other) => write!(f, "{other} answers under the same name"),
            Self::ForeignSession(pod) => write!(f, "sends sessions of pod {pod}, which are left out"),
            Self::ClockAhead(ahead) => write!(f, "its clock is {} min ahead", ahead.as_secs() / 60),
            Self::DuplicateId => f.write_str("sends one session twice"),
            Self::TooManySessions => {
                write!(f, "lists more than {MAX_SESSIONS_PER_POD} sessions, the others are left out")
            }
            Self::TooManyInFleet => write!(
                f,
                "all pods together list more than {MAX_SESSIONS} sessions, and this one more than its share: the others are \
                 left out"
            ),
            Self::InvalidMessage(reason) => write!(f, "sends what makes no sense: {reason}"),
        }
    }
}

/// Inconsistencies of one pod: one of each kind, so that no liar can fill the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inconsistencies {
    inconsistencies: BTreeSet<Inconsistency>,
    /// Those of the watch before, until the snapshot of this one is whole: nothing is believed for the time in between.
    before: BTreeSet<Inconsistency>,
}

impl Inconsistencies {
    pub(super) fn insert(&mut self, lie: Inconsistency) {
        let is_known =
            self.inconsistencies.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(&lie));
        if !is_known {
            self.inconsistencies.insert(lie);
        }
    }

    /// A watch begins.
    pub(super) fn begin(&mut self) {
        if !self.inconsistencies.is_empty() {
            self.before = std::mem::take(&mut self.inconsistencies);
        }
    }

    /// The snapshot of the watch is whole.
    pub(super) fn settle(&mut self) {
        self.before.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &Inconsistency> {
        self.inconsistencies.union(&self.before)
    }
}

/// How a pod stands, in one word and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodHealth {
    /// Nothing heard yet.
    Waiting,
    /// All is known.
    Live,
    /// It answers, but what it says cannot all be true, or is too much.
    Inconsistent(String),
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
    pub discovered_name: Option<PodName>,
    /// What discovery says of its state.
    pub conditions: Conditions,
    /// Since when discovery does not name it any more; absent while it does.
    pub delisted_at: Option<Timestamp>,
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
    /// Sessions that were present when the countdown began that runs now, as far as that was heard. Of a pod that does not
    /// say which are present, all that it held.
    pub present_at_drain_start: Option<u64>,
    /// How long its last answer took, where that was too long.
    pub slow_response: Option<Duration>,
    /// What it counts and what it has listed, where that has differed for some seconds.
    pub miscount: Option<Miscount>,
    /// Whether its address is a fixed one.
    pub is_fixed: bool,
    pub(super) inconsistencies: Inconsistencies,
}

/// A pod counts other than it has listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Sessions it says it holds.
    pub counted: u64,
    /// Sessions it has listed.
    pub listed: u64,
}

impl fmt::Display for Miscount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counted, listed } = self;
        write!(f, "counts {counted} sessions and has listed {listed}; its list is asked for again")
    }
}

impl PodView {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            discovered_name: None,
            conditions: Conditions::default(),
            delisted_at: None,
            report: None,
            phase_since: None,
            state: PodState::Waiting,
            last_seen: None,
            sessions: 0,
            shared: 0,
            present_at_drain_start: None,
            slow_response: None,
            miscount: None,
            is_fixed: false,
            inconsistencies: Inconsistencies::default(),
        }
    }

    /// The pod's name as it said it, else as discovery knows it, else its address.
    pub fn label(&self) -> &str {
        let name = self.report.as_ref().map(|report| &report.pod).or(self.discovered_name.as_ref());
        name.map_or(self.address.as_str(), PodName::as_str)
    }

    /// How the pod stands.
    pub fn health(&self) -> PodHealth {
        match &self.state {
            PodState::Finished => PodHealth::Finished,
            PodState::Unreachable { reason, .. } => PodHealth::Unreachable(reason.clone()),
            PodState::Live | PodState::Waiting => {
                let inconsistencies = self.inconsistencies.iter().map(ToString::to_string);
                let reasons: Vec<_> =
                    inconsistencies.chain(self.miscount.map(|miscount| miscount.to_string())).collect();
                match (&self.state, reasons.is_empty()) {
                    (_, false) => PodHealth::Inconsistent(reasons.join("; ")),
                    (PodState::Waiting, true) => PodHealth::Waiting,
                    (_, true) => PodHealth::Live,
                }
            }
        }
    }

    /// Whether it answers, truthfully or not.
    pub fn is_reachable(&self) -> bool {
        self.state == PodState::Live
    }

    /// Whether everything it holds is known, and known to be true. Holds for a pod that has finished.
    pub fn is_reliable(&self) -> bool {
        matches!(self.health(), PodHealth::Live | PodHealth::Finished)
    }

    /// The sessions it says it holds; none once it has finished.
    pub fn active_sessions(&self) -> Option<u64> {
        match self.state {
            PodState::Finished => Some(0),
            _ => self.report.as_ref().map(|report| report.active_sessions),
        }
    }

    /// The sessions it says are present; none once it has finished, absent where it does not say.
    pub fn present_sessions(&self) -> Option<u64> {
        match self.state {
            PodState::Finished => Some(0),
            _ => self.report.as_ref().and_then(|report| report.present_sessions),
        }
    }

    /// The sessions that hold it: those present, and of a pod that does not say which are, all. None once it has finished.
    pub fn present_or_held(&self) -> Option<u64> {
        self.present_sessions().or_else(|| self.active_sessions())
    }

    /// The sessions it holds and that are not present; absent where it does not say.
    pub fn idle_sessions(&self) -> Option<u64> {
        Some(self.active_sessions()?.saturating_sub(self.present_sessions()?))
    }

    /// Whether it is ready: as it says itself, unless discovery knows that it is not. That discovery calls it ready means
    /// something only of a pod that does not say: a Service that names all pods publishes them as ready, ready or not.
    /// Absent where nobody knows.
    pub fn is_ready(&self) -> Option<bool> {
        let discovered = self.conditions.ready;
        match self.state {
            PodState::Finished => Some(false),
            PodState::Waiting | PodState::Unreachable { .. } => discovered.filter(|ready| !ready),
            PodState::Live => match (self.report.as_ref().and_then(|report| report.ready), discovered) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), _) => Some(true),
                (None, discovered) => discovered,
            },
        }
    }

    /// What its Deployment's revision is called; absent where it does not say.
    pub fn revision(&self) -> Option<&str> {
        self.report.as_ref().map(|report| &*report.revision).filter(|revision| !revision.is_empty())
    }

    pub(super) fn report(&mut self, report: PodReport, now: Timestamp) {
        let before = self.report.as_ref();
        self.present_at_drain_start = report.drain_started_at.map(|started| {
            let same = before.is_some_and(|b| b.drain_started_at == Some(started) && b.pod == report.pod);
            let known = if same { self.present_at_drain_start } else { before.map(PodReport::present_or_held) };
            known.unwrap_or(0).max(report.present_or_held())
        });
        let ahead = report.started_at.max(report.drain_started_at.unwrap_or_default()).since(now);
        if ahead > CLOCK_TOLERANCE {
            self.inconsistencies.insert(Inconsistency::ClockAhead(ahead));
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
        self.slow_response = Some(took).filter(|took| *took > SLOW);
    }

    /// A pod that has finished is not lost: it said so.
    pub(super) fn lost(&mut self, reason: String, now: Timestamp) {
        let since = match &self.state {
            PodState::Finished => return,
            PodState::Unreachable { since, .. } => *since,
            PodState::Waiting | PodState::Live => now,
        };
        self.slow_response = None;
        self.miscount = None;
        self.state = PodState::Unreachable { reason, since };
    }

    /// Whether it is up and takes no newcomers because of maintenance.
    pub(super) fn is_in_maintenance(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.phase == Phase::Maintenance)
    }
}
