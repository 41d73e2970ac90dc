//! The actions of operators that the audit log records.

/// An action, done or attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuditAction {
    /// Maintenance was turned on.
    MaintenanceOn,
    /// Maintenance was turned off.
    MaintenanceOff,
    /// An operator signed in.
    SignedIn,
    /// An operator signed out.
    SignedOut,
    /// Sessions were downloaded as a file.
    Exported,
    /// A silent pod was forgotten: it moved into the history.
    PodForgotten,
}

impl AuditAction {
    /// Returns the value of the log field `audit.action`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::MaintenanceOn => "maintenance_on",
            Self::MaintenanceOff => "maintenance_off",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::Exported => "exported",
            Self::PodForgotten => "pod_forgotten",
        }
    }

    /// Returns the log message for the action that succeeded.
    pub(super) const fn done_message(self) -> &'static str {
        match self {
            Self::MaintenanceOn | Self::MaintenanceOff => "the maintenance switch was moved",
            Self::SignedIn => "an operator has signed in",
            Self::SignedOut => "an operator has signed out",
            Self::Exported => "sessions were exported",
            Self::PodForgotten => "a silent pod was forgotten",
        }
    }

    /// Returns the log message for the action that failed.
    pub(super) const fn failed_message(self) -> &'static str {
        match self {
            Self::MaintenanceOn | Self::MaintenanceOff => "the maintenance switch could not be moved",
            Self::SignedIn => "a sign-in was refused: wrong token, or a link that was used or has expired",
            Self::SignedOut => "an operator could not be signed out",
            Self::Exported => "sessions could not be exported",
            Self::PodForgotten => "a pod could not be forgotten",
        }
    }
}
