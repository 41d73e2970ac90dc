//! The wall clock. No other module reads it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_domain::Timestamp;

/// Returns the current time.
#[allow(clippy::disallowed_methods, reason = "the one module that may read the wall clock")]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_millis(0).plus(since_epoch)
}
