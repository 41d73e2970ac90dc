//! The states that a list of sessions can be filtered by.

use crate::rows::Row;

/// A state of a session. While its pod is unreachable, a session is neither present nor idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Present, as its pod reports. If the pod does not report it, something of the session is open.
    Present,
    /// Held, and not present.
    Idle,
    /// Notified of the notice that runs now.
    Notified,
    /// Not notified, or no notice runs.
    NotNotified,
    /// With work in progress that a drain waits for.
    Protected,
    /// Asked to move to another pod, and still here.
    AskedToMove,
    /// Its pod is unreachable: this is the last known data.
    LastKnown,
    /// Its times are too far ahead, or several pods claim it.
    Doubtful,
}

impl SessionState {
    /// All states, in the order of the API.
    pub const ALL: [Self; 8] = [
        Self::Present,
        Self::Idle,
        Self::Notified,
        Self::NotNotified,
        Self::Protected,
        Self::AskedToMove,
        Self::LastKnown,
        Self::Doubtful,
    ];

    /// The state's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Idle => "idle",
            Self::Notified => "told",
            Self::NotNotified => "not_told",
            Self::Protected => "protected",
            Self::AskedToMove => "asked_to_move",
            Self::LastKnown => "last_known",
            Self::Doubtful => "doubtful",
        }
    }

    /// Parses a name. `connected`, `not_connected`, `notified` and `not_notified` are aliases of the first four states.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "connected" => Some(Self::Present),
            "not_connected" => Some(Self::Idle),
            "notified" => Some(Self::Notified),
            "not_notified" => Some(Self::NotNotified),
            name => Self::ALL.into_iter().find(|state| state.as_str() == name),
        }
    }

    /// All names, for error messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// Whether a row has this state; `is_stale` says whether its pod is unreachable.
    pub(crate) fn matches(self, row: &Row, is_stale: bool) -> bool {
        match self {
            Self::Present => row.session.is_present() && !is_stale,
            Self::Idle => !row.session.is_present() && !is_stale,
            Self::Notified => row.session.notified,
            Self::NotNotified => !row.session.notified,
            Self::Protected => row.session.is_protected(),
            Self::AskedToMove => row.session.asked_to_move,
            Self::LastKnown => is_stale,
            Self::Doubtful => row.is_doubtful(),
        }
    }

    /// Whether the state depends on the row's pod being reachable.
    pub(crate) const fn depends_on_reachability(self) -> bool {
        matches!(self, Self::Present | Self::Idle | Self::LastKnown)
    }
}
