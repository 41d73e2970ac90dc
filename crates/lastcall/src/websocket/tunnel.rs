//! Upgraded connections that the app serves or relays itself: what they count as, and when they are closed.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::closing_moment::{ClosingMoment, changed};
use super::open_socket::OpenSocket;
use super::session_end::of_session;
use crate::event_streams::{StreamKind, StreamState};
use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// An upgraded connection that the app itself serves or relays, counted until the guard is dropped: see
/// [`Session::tunnel`](crate::Session::tunnel).
///
/// As an extractor it belongs to the session of the request, and to none where the request has none. It then counts for the pod only, and
/// is closed before maintenance begins, or before the process ends. It refuses the request with 503 where the pod has as many streams and
/// WebSockets open as it may.
pub struct TunnelGuard {
    service: Arc<ServiceState>,
    session: Option<TunnelOfSession>,
    // Dropped last: the end of the service waits for it.
    _open: OpenSocket,
}

/// The session of a tunnel.
struct TunnelOfSession {
    served: ServedSession,
    number: u64,
    /// How often the session had been asked to move when the tunnel was opened.
    asks: u32,
}

impl Drop for TunnelOfSession {
    fn drop(&mut self) {
        self.served.streams().record_closed(StreamKind::Tunnel, self.number);
    }
}

impl std::fmt::Debug for TunnelGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TunnelGuard").field("has_session", &self.session.is_some()).finish_non_exhaustive()
    }
}

impl TunnelGuard {
    /// `None` where this pod has as many streams and WebSockets open as it may.
    pub(crate) fn open(service: &Arc<ServiceState>, session: Option<&ServedSession>) -> Option<Self> {
        let open = OpenSocket::of(service, session)?;
        let session = session.map(|served| {
            // An app bounds the number of its own connections: none is evicted.
            let (number, state) = served.streams().open(StreamKind::Tunnel, usize::MAX);
            let asks = state.borrow().asks;
            TunnelOfSession { served: served.clone(), number, asks }
        });
        Some(Self { service: Arc::clone(service), session, _open: open })
    }

    /// Completes when the connection is to be closed, and gives the code of a WebSocket's Close frame: 1012 where the client goes on at
    /// another pod, 1001 otherwise.
    ///
    /// That is when the session ends; at the connection's own moment of the last seconds of a countdown, so that not all clients
    /// reconnect at once; once in a handoff, when the session is asked to move; and when the service stops. From then on the end of the
    /// service waits for the guard to be dropped, a few seconds at most.
    ///
    /// # Cancel safety
    /// Cancel safe, but the connection's moment is another one for each future.
    pub fn closing(&self) -> impl Future<Output = u16> + Send + 'static {
        let service = Arc::clone(&self.service);
        let session = self.session.as_ref().map(|session| (session.served.clone(), session.asks));
        let mut streams = session.as_ref().map(|(served, _)| served.streams().subscribe());
        let mut moment = ClosingMoment::of(&service, session);
        async move {
            loop {
                if let Some(code) = streams.as_mut().and_then(|streams| ended_code(&service, streams)) {
                    return code.into();
                }
                tokio::select! {
                    biased;
                    () = changed(streams.as_mut()) => {}
                    () = service.streams_end.cancelled() => return CloseCode::Restart.into(),
                    frame = moment.reached() => return frame.code.into(),
                }
            }
        }
    }

    /// The code of the Close frame for the client of a WebSocket whose app has gone without one: 1012 while the service stops, since apps
    /// often end with it. `None` at other times: the client sees the end as it is.
    pub fn lost_app_code(&self) -> Option<u16> {
        self.service.is_stopping().then(|| CloseCode::Restart.into())
    }
}

/// The code where the session has ended.
fn ended_code(service: &ServiceState, streams: &mut watch::Receiver<StreamState>) -> Option<CloseCode> {
    let reason = streams.borrow_and_update().closed(StreamKind::Tunnel, service.is_stopping())?;
    Some(of_session(service, reason).code)
}

impl RequestContext {
    /// Counts an upgraded connection of the session, or of none where the request has none.
    ///
    /// # Errors
    /// Where the pod has as many streams and WebSockets open as it may.
    pub(crate) async fn tunnel(&self) -> Result<TunnelGuard, Refusal> {
        match self.session() {
            Some(session) => session.tunnel().await,
            None => TunnelGuard::open(&self.state, None).ok_or_else(|| self.refuse(Reason::TooManyStreams)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TunnelGuard {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<RequestContext>().ok_or_else(Refusal::outside_layer)?.tunnel().await
    }
}

#[cfg(test)]
mod tests;
