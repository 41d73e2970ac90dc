//! The log lines of a drain, word for word as the contract fixes them: scripts parse them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::event::Signal;
use super::notice::Reason;

/// A line of the log. `Display` writes it; durations are rounded to the nearest second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// The drain begins because of this signal.
    Received(Signal),
    /// The drain begins because it was asked for, without a signal.
    Requested,
    /// A further signal arrived and is ignored.
    Ignored(Signal),
    /// A further signal arrived and ends the drain.
    Hurried,
    /// The number of present sessions when the drain begins.
    Detected(u64),
    /// The number of sessions that are notified.
    Notifying(u64),
    /// The number of sessions that are to move to other pods.
    Moving(u64),
    /// The countdown begins and lasts this long.
    WaitingForUsers(Duration),
    /// The number of present sessions, and the time until the deadline.
    Remaining(u64, Duration),
    /// The number of sessions that were force-closed at the deadline.
    ForceClosing(u64),
    /// The number of sessions that were released to other pods at the deadline.
    Released(Reason, u64),
    /// The deadline has passed, or no session is present: this long, work of this number of sessions is waited for.
    WaitingForWork(Reason, Duration, u64),
    /// The number of sessions with work in progress, and the time that they have left.
    WorkRemaining(u64, Duration),
    /// The propagation begins and lasts this long.
    WaitingForEndpoints(Duration),
    /// The registered resource of this name is closed, which may take this long.
    Closing(Arc<str>, Duration),
    /// A drain that no signal began is over: the process goes on until one comes.
    Drained,
    /// The last line of every drain.
    ShuttingDown,
    /// Maintenance begins. The number of sessions that are notified.
    MaintenanceEnabled(u64),
    /// The number of sessions that were force-closed at the end of the maintenance countdown.
    MaintenanceForceClosing(u64),
    /// Maintenance is over.
    MaintenanceDisabled,
}

const SHUTDOWN: &str = "[GRACEFUL SHUTDOWN]";
const MAINTENANCE: &str = "[MAINTENANCE]";

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Received(signal) => write!(f, "{SHUTDOWN} Received {} signal", name(signal)),
            Self::Requested => write!(f, "{SHUTDOWN} Received drain request"),
            Self::Ignored(signal) => write!(f, "{SHUTDOWN} Ignored another {} signal", name(signal)),
            Self::Hurried => write!(f, "{SHUTDOWN} Received another signal, not waiting any longer"),
            Self::Detected(n) => write!(f, "{SHUTDOWN} {n} active {} detected", plural(n, "user")),
            Self::Notifying(n) => write!(f, "{SHUTDOWN} Sending drain notification to {n} {}...", plural(n, "user")),
            Self::Moving(n) => write!(f, "{SHUTDOWN} Moving {n} {} to other pods...", plural(n, "user")),
            Self::WaitingForUsers(time) => {
                write!(f, "{SHUTDOWN} Waiting {}s for users to logout gracefully...", seconds(time))
            }
            Self::Remaining(n, left) => {
                write!(f, "{SHUTDOWN} {n} {} remaining ({}s left)...", plural(n, "user"), seconds(left))
            }
            Self::ForceClosing(n) => {
                write!(f, "{SHUTDOWN} Force-closing {n} remaining {}...", plural(n, "session"))
            }
            Self::Released(reason, n) => {
                let prefix = prefix(reason);
                write!(f, "{prefix} Released {n} remaining {} to other pods", plural(n, "session"))
            }
            Self::WaitingForWork(reason, time, n) => {
                let (prefix, time) = (prefix(reason), seconds(time));
                write!(f, "{prefix} Waiting up to {time}s for {n} {} with work in progress...", plural(n, "session"))
            }
            Self::WorkRemaining(n, left) => {
                let (sessions, left) = (plural(n, "session"), seconds(left));
                write!(f, "{SHUTDOWN} {n} {sessions} with work in progress ({left}s left)...")
            }
            Self::WaitingForEndpoints(time) => {
                write!(f, "{SHUTDOWN} Waiting {}s for endpoint removal to propagate...", seconds(time))
            }
            Self::Closing(ref name, limit) => write!(f, "{SHUTDOWN} Closing {name} (up to {})...", limit_text(limit)),
            Self::Drained => write!(f, "{SHUTDOWN} Drained, serving until SIGTERM..."),
            Self::ShuttingDown => write!(f, "{SHUTDOWN} Shutting down cleanly..."),
            Self::MaintenanceEnabled(n) => {
                write!(f, "{MAINTENANCE} Maintenance mode enabled, notifying {n} {}", plural(n, "user"))
            }
            Self::MaintenanceForceClosing(n) => {
                write!(f, "{MAINTENANCE} Countdown over, force-closing {n} remaining {}", plural(n, "session"))
            }
            Self::MaintenanceDisabled => write!(f, "{MAINTENANCE} Maintenance mode disabled"),
        }
    }
}

const fn prefix(reason: Reason) -> &'static str {
    match reason {
        Reason::Shutdown => SHUTDOWN,
        Reason::Maintenance => MAINTENANCE,
    }
}

const fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::Term => "SIGTERM",
        Signal::Int => "SIGINT",
        Signal::Quit => "SIGQUIT",
    }
}

fn plural(n: u64, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

/// A limit below a second is not rounded: nothing is closed in `0s`.
fn limit_text(limit: Duration) -> String {
    match limit.as_millis() {
        millis @ 1..1000 => format!("{millis}ms"),
        _ => format!("{}s", seconds(limit)),
    }
}

fn seconds(time: Duration) -> u128 {
    (time.as_millis() + 500) / 1000
}
