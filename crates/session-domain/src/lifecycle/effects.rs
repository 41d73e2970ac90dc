//! What the machine wants done, as values.

use std::num::NonZeroU64;
use std::time::Duration;

use super::LogLine;
use crate::time::Timestamp;

/// Why users have to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The pod stops.
    Shutdown,
    /// Maintenance was declared.
    Maintenance,
}

impl Reason {
    /// The reason as events write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::Maintenance => "maintenance",
        }
    }
}

/// Identifies a notice on this pod. A shutdown that overtakes a maintenance keeps the id: nobody is told twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeId(pub(crate) NonZeroU64);

/// What people are told: that they have to leave, why, and by when. State, not a message: whoever comes
/// while it runs hears of it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which notice it is.
    pub id: NoticeId,
    /// Why.
    pub reason: Reason,
    /// When the countdown began.
    pub started_at: Timestamp,
    /// When who is left is force-closed.
    pub deadline: Timestamp,
}

impl Notice {
    /// The time that is left; zero once the deadline has passed.
    pub fn remaining(&self, now: Timestamp) -> Duration {
        self.deadline.since(now)
    }
}

/// Whom a pod takes in. In this order: each lets in fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admission {
    /// Newcomers, and sessions from other pods.
    Open,
    /// Sessions from other pods only.
    AdoptionsOnly,
    /// Nobody.
    Closed,
}

/// Something to be done, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Take in these from now on.
    SetAdmission(Admission),
    /// Tell everybody, and whoever comes, until the notice is replaced or cancelled.
    Notify(Notice),
    /// The notice is taken back; its reason is told.
    CancelNotice(Reason),
    /// The notice has run out, or nobody is left to be told.
    EndNotice,
    /// End every present session as forced, and say so in the log: [`LogLine::ForceClosing`] with the number that was ended, or
    /// in maintenance [`LogLine::MaintenanceForceClosing`]. The reason is that of the notice that has run out.
    ForceClose(Reason),
    /// Release every other session: it goes on at another pod where one can adopt it, else it expires.
    ReleaseRemaining,
    /// Say this in the log.
    Log(LogLine),
    /// End every stream, then let the process exit.
    Exit,
}
