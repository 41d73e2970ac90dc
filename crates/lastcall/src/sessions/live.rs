//! The sessions that this pod holds: the registry with event streams attached, and the changes that end both together.

use std::sync::Arc;

use session_domain::registry::{self, OutdatedMark, OwnershipMark, Registry};
use session_domain::{Outcome, SessionId, Timestamp, UserName};

use crate::event_streams::{CloseReason, EventStreams};

/// The sessions that this pod holds.
pub(crate) type SessionRegistry = Registry<EventStreams>;

/// A session that this pod holds.
pub(crate) type LiveSession = Arc<registry::LiveSession<EventStreams>>;

/// Ends a session of this pod because its user logs out. `None` where it had ended already.
pub(crate) fn log_out(registry: &SessionRegistry, session: &LiveSession, automatic: bool) -> Option<Outcome> {
    let outcome = registry.log_out(session, automatic)?;
    let is_automatic = outcome == Outcome::AutoLogout;
    session.attachment().close_all(if is_automatic { CloseReason::AutoLogout } else { CloseReason::Logout });
    Some(outcome)
}

/// Ends a session of this pod. `false` where it had ended already.
pub(crate) fn end(registry: &SessionRegistry, session: &LiveSession, outcome: Outcome, close: CloseReason) -> bool {
    let ended = registry.end(session, outcome);
    if ended {
        session.attachment().close_all(close);
    }
    ended
}

/// Ends a session of this pod because another pod owns it. `false` where it had ended already. Fails where what the store said
/// after `mark` was taken is out of date.
pub(crate) fn end_as_moved(
    registry: &SessionRegistry,
    session: &LiveSession,
    mark: OwnershipMark,
) -> Result<bool, OutdatedMark> {
    let ended = registry.end_as_moved(session, mark)?;
    if ended {
        session.attachment().close_all(CloseReason::Moved);
    }
    Ok(ended)
}

/// Names the user of a session of this pod and gives it another id. `false` where the session has ended.
pub(crate) fn sign_in(
    registry: &SessionRegistry,
    session: &LiveSession,
    id: SessionId,
    user: UserName,
    now: Timestamp,
) -> bool {
    let renamed = registry.rename(session, id, user, now);
    if renamed {
        session.attachment().record_login();
    }
    renamed
}
