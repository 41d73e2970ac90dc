//! With which code a WebSocket is closed: 1012 where a client goes on at another pod, 1001 otherwise.

use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::event_streams::CloseReason;
use crate::service_state::ServiceState;

/// A Close frame with this reason, which must have at most 123 bytes.
pub(super) const fn close_frame(code: CloseCode, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
}

/// The frame of a pod that stops.
pub(super) const fn service_restart() -> CloseFrame {
    close_frame(CloseCode::Restart, "This server stops: connect again.")
}

/// The frame of a WebSocket that is closed before the end of a maintenance countdown.
pub(super) const fn maintenance() -> CloseFrame {
    close_frame(CloseCode::Away, "Maintenance begins.")
}

/// The frame of the oldest WebSocket of a session that opens too many.
pub(super) const fn evicted() -> CloseFrame {
    close_frame(CloseCode::Policy, "The session has opened too many WebSockets.")
}

/// The frame of a WebSocket whose session is closed on this pod.
pub(super) fn of_session(state: &ServiceState, reason: CloseReason) -> CloseFrame {
    match reason {
        CloseReason::Moved => close_frame(CloseCode::Restart, "The session goes on at another server: connect again."),
        // A page signs out by itself because the pod stops.
        CloseReason::Forced | CloseReason::AutoLogout if state.is_stopping() => service_restart(),
        CloseReason::Forced => close_frame(CloseCode::Away, "The session was ended."),
        CloseReason::Logout | CloseReason::AutoLogout => close_frame(CloseCode::Away, "The user has logged out."),
        CloseReason::Expired => close_frame(CloseCode::Away, "The session has expired."),
    }
}
