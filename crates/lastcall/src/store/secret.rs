//! The secrets that sign cookies.

use session_domain::Timestamp;

/// A secret that signs cookies, and its age. Of several, the oldest signs.
#[derive(Clone, PartialEq, Eq)]
pub struct AgedSecret {
    /// The secret.
    pub secret: String,
    /// When it was created.
    pub created: Timestamp,
}

impl std::fmt::Debug for AgedSecret {
    /// Does not show the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgedSecret").field("created", &self.created).finish_non_exhaustive()
    }
}
