//! What is wrong with the data of a pod.

use std::collections::BTreeSet;
use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use session_domain::PodName;

use crate::address::Address;
use crate::bounds::{MAX_SESSIONS, MAX_SESSIONS_PER_POD};

/// Data of a pod that cannot be true or exceeds a limit. `Display` explains it to operators.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inconsistency {
    /// The pod at another address reports the same name, or is the same pod, discovered twice.
    SameName(Address),
    /// It sends sessions of another pod; they are left out.
    ForeignSession(PodName),
    /// It sends times that are further ahead than [`CLOCK_TOLERANCE`](crate::CLOCK_TOLERANCE).
    ClockAhead(Duration),
    /// One snapshot contains a session twice; the later one counts.
    DuplicateId,
    /// It lists more than [`MAX_SESSIONS_PER_POD`] sessions; the others are left out.
    TooManySessions,
    /// All pods together list more than [`MAX_SESSIONS`] sessions, and this one more than its share; the others are left
    /// out.
    TooManyInFleet,
    /// It sends invalid messages; they are left out.
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

/// The inconsistencies of one pod, one of each kind, so that a faulty pod cannot fill the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inconsistencies {
    current: BTreeSet<Inconsistency>,
    /// Those of the watch before. They count until the snapshot of the current watch is complete.
    before: BTreeSet<Inconsistency>,
}

impl Inconsistencies {
    pub(crate) fn insert(&mut self, inconsistency: Inconsistency) {
        if !self.current.iter().any(|known| discriminant(known) == discriminant(&inconsistency)) {
            self.current.insert(inconsistency);
        }
    }

    /// A new watch starts.
    pub(crate) fn begin_watch(&mut self) {
        if !self.current.is_empty() {
            self.before = std::mem::take(&mut self.current);
        }
    }

    /// The snapshot of the watch is complete.
    pub(crate) fn complete_snapshot(&mut self) {
        self.before.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Inconsistency> {
        self.current.union(&self.before)
    }
}
