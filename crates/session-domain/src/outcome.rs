//! How a session ends, and how starts and ends are counted.
//!
//! A session ends once and has one [`Outcome`], so that `logins + adopted = active + ended` holds on every pod.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its user logged out.
    Logout,
    /// Its browser logged out by itself at the end of a countdown.
    AutoLogout,
    /// It was present and force-closed at the deadline.
    Forced,
    /// It was idle for too long, or not present when the pod stopped.
    Expired,
    /// It lives on at another pod.
    Moved,
}

impl Outcome {
    /// All outcomes, in the order of the metrics.
    pub const ALL: [Self; 5] = [Self::Logout, Self::AutoLogout, Self::Forced, Self::Expired, Self::Moved];

    /// The outcome as the label of the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::AutoLogout => "auto_logout",
            Self::Forced => "forced",
            Self::Expired => "expired",
            Self::Moved => "moved",
        }
    }
}

/// The counters of a registry. Only the registry writes them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) logins: AtomicU64,
    pub(crate) adopted: AtomicU64,
    pub(crate) notified: AtomicU64,
    pub(crate) graceful: AtomicU64,
    pub(crate) asked_to_move: AtomicU64,
    ended: [AtomicU64; 5],
}

impl Ledger {
    pub(crate) fn count_end(&self, outcome: Outcome) {
        self.ended[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            logins: self.logins.load(Ordering::Relaxed),
            adopted: self.adopted.load(Ordering::Relaxed),
            notified: self.notified.load(Ordering::Relaxed),
            graceful: self.graceful.load(Ordering::Relaxed),
            asked_to_move: self.asked_to_move.load(Ordering::Relaxed),
            ended: std::array::from_fn(|i| self.ended[i].load(Ordering::Relaxed)),
        }
    }
}

/// What a registry has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sessions that began on this pod.
    pub logins: u64,
    /// Sessions adopted from other pods.
    pub adopted: u64,
    /// Sessions that were notified, once for each notice.
    pub notified: u64,
    /// Logouts of notified sessions while the notice ran.
    pub graceful: u64,
    /// Sessions that were asked to move to another pod, once each.
    pub asked_to_move: u64,
    ended: [u64; 5],
}

impl Totals {
    /// Sessions that ended with `outcome`.
    pub const fn ended(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }

    /// Sessions that ended, with any outcome.
    pub fn total_ended(&self) -> u64 {
        self.ended.iter().sum()
    }
}
