//! What the log says of a drain, word for word as operators' scripts expect it.

use std::fmt;
use std::time::Duration;

use super::{Reason, Signal};

/// A line of the log. Seconds are rounded to the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// The drain begins.
    Received(Signal),
    /// Another signal came, and is ignored as configured.
    Ignored(Signal),
    /// Another signal came: the waiting ends.
    Hurried,
    /// So many present sessions were found.
    Detected(u64),
    /// So many are told.
    Notifying(u64),
    /// The countdown begins.
    WaitingForUsers(Duration),
    /// So many are left, with so much time.
    Remaining(u64, Duration),
    /// The countdown is over with so many left.
    ForceClosing(u64),
    /// The countdown is over: so many sessions go on at other pods.
    Released(Reason, u64),
    /// The endpoints get their time.
    WaitingForEndpoints(Duration),
    /// The last line.
    ShuttingDown,
    /// Maintenance begins; so many are told.
    MaintenanceEnabled(u64),
    /// The maintenance countdown is over with so many left.
    MaintenanceForceClosing(u64),
    /// Maintenance is over.
    MaintenanceDisabled,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHUTDOWN: &str = "[GRACEFUL SHUTDOWN]";
        const MAINTENANCE: &str = "[MAINTENANCE]";
        match *self {
            Self::Received(signal) => write!(f, "{SHUTDOWN} Received {} signal", name(signal)),
            Self::Ignored(signal) => write!(f, "{SHUTDOWN} Ignored another {} signal", name(signal)),
            Self::Hurried => write!(f, "{SHUTDOWN} Received another signal, not waiting any longer"),
            Self::Detected(n) => write!(f, "{SHUTDOWN} {n} active {} detected", plural(n, "user")),
            Self::Notifying(n) => write!(f, "{SHUTDOWN} Sending drain notification to {n} {}...", plural(n, "user")),
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
                let prefix = if reason == Reason::Shutdown { SHUTDOWN } else { MAINTENANCE };
                write!(f, "{prefix} Released {n} remaining {} to other pods", plural(n, "session"))
            }
            Self::WaitingForEndpoints(time) => {
                write!(f, "{SHUTDOWN} Waiting {}s for endpoint removal to propagate...", seconds(time))
            }
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

fn seconds(time: Duration) -> u128 {
    (time.as_millis() + 500) / 1000
}
