//! How long Redis may take to connect, to answer, and to block.

use std::time::Duration;

/// A server that takes longer than this to connect is unavailable.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A server that takes longer than this to answer is unavailable. An outage is noticed within this time and the second between
/// two renewals of the lease: 3 s in all.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1_800);

/// The longest time for which a read of the inbox blocks at the server.
pub(super) const MAX_BLOCK: Duration = Duration::from_secs(5);
