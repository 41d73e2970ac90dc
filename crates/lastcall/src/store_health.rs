//! The health of the store, as far as this pod knows it.
//!
//! Reaching the store, reading it and writing to it are three things: a replica, or a server out of memory, can be reached
//! and read, and takes no writes.

use std::time::Duration;

use session_domain::Timestamp;

use crate::store::StoreError;

/// What a store says is doubted for this long after it was lost, came back empty or behind, or took no writes. The pods write
/// their sessions meanwhile.
pub(crate) const SETTLING: Duration = Duration::from_secs(10);

/// The health of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreHealth {
    /// It has not answered yet.
    Unknown,
    /// It refuses the login.
    LoginRefused {
        /// Whether it has accepted a login before.
        had_contact: bool,
    },
    /// It cannot be reached, or does not answer.
    Unavailable,
    /// It answers, and cannot be read.
    Unreadable,
    /// It can be read, and takes no writes.
    ReadOnly,
    /// It can be read and written.
    Healthy {
        /// Until when an absent entry proves nothing: other pods may not have written their sessions yet.
        settling_until: Timestamp,
    },
}

impl StoreHealth {
    /// Whether it answers.
    pub(crate) const fn is_reachable(self) -> bool {
        matches!(self, Self::Unreadable | Self::ReadOnly | Self::Healthy { .. })
    }

    /// Whether it can be read.
    pub(crate) const fn is_readable(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Healthy { .. })
    }

    /// Whether it can be written.
    pub(crate) const fn is_writable(self) -> bool {
        matches!(self, Self::Healthy { .. })
    }

    /// The health after an operation has succeeded.
    pub(crate) fn after_success(self, now: Timestamp) -> Self {
        match self {
            Self::Healthy { .. } => self,
            Self::Unknown => Self::Healthy { settling_until: now },
            Self::LoginRefused { .. } | Self::Unavailable | Self::Unreadable | Self::ReadOnly => {
                Self::Healthy { settling_until: now.plus(SETTLING) }
            }
        }
    }

    /// The health after an operation has failed. `had_contact` says whether a write has ever succeeded.
    pub(crate) const fn after_error(self, error: &StoreError, had_contact: bool) -> Self {
        match (error, self) {
            // A login that was never accepted stays refused until it is.
            (StoreError::Unavailable(_), Self::LoginRefused { had_contact: false })
            | (StoreError::LoginRefused(_), Self::LoginRefused { .. })
            | (StoreError::PartlyUnavailable(_) | StoreError::Refused(_), _) => self,
            (StoreError::Unavailable(_), _) => Self::Unavailable,
            (StoreError::LoginRefused(_), Self::Unknown) => Self::LoginRefused { had_contact: false },
            (StoreError::LoginRefused(_), _) => Self::LoginRefused { had_contact },
            (StoreError::NotReadable(_), _) => Self::Unreadable,
            (StoreError::NotWritable(_), _) => Self::ReadOnly,
        }
    }
}
