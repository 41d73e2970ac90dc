//! What the machine wants done, as values.

use super::admission::Admission;
use super::log_line::LogLine;
use super::notice::{Notice, Reason};
use crate::time::Timestamp;

/// Something to do. The caller performs the effects of a step in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Admit these sessions from now on.
    SetAdmission(Admission),
    /// Notify all sessions that are not notified yet, and each one that connects until the notice is replaced, cancelled or ended.
    Notify(Notice),
    /// Give this number of sessions their turn to move to another pod, and ask those with a stream.
    AskToMove(u64),
    /// Notify the present sessions that were asked at or before `until`, and each of them that connects, and log the number
    /// the first time: [`LogLine::Notifying`]. The others are not notified yet.
    NotifyStaying {
        /// The notice.
        notice: Notice,
        /// The time of the last ask that counts.
        until: Timestamp,
        /// Whether no session was notified before.
        is_first: bool,
    },
    /// Withdraw the notice that runs, and tell the sessions so. The reason is that of the notice.
    CancelNotice(Reason),
    /// End the notice: its deadline has passed, or no session is present.
    EndNotice,
    /// End every present session as [forced](crate::Outcome::Forced), and log the number that ended:
    /// [`LogLine::ForceClosing`], or [`LogLine::MaintenanceForceClosing`] if the reason is maintenance.
    ForceClose(Reason),
    /// The same for the present sessions without protected work. The others are waited for.
    ForceCloseUnprotected(Reason),
    /// Cut the protected work that is still in progress on this pod, of its own sessions and of others.
    CutWork,
    /// Release every session that is left: it moves to a pod that can adopt it, or expires.
    ReleaseRemaining,
    /// The same for the sessions without protected work.
    ReleaseUnprotected,
    /// Close the registered resources, then send [`Event::ResourcesClosed`](super::Event::ResourcesClosed).
    CloseResources,
    /// Log this line.
    Log(LogLine),
    /// End every stream, then let the process exit.
    Exit,
}
