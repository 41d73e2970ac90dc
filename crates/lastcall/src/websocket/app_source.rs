//! What an app's handler sends, and the handler itself: it runs in a task of its own, so that a handler that is busy delays neither
//! pings nor the Close frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tracing::warn;

use super::session_end::{close_frame, evicted, of_session, service_restart};
use super::socket::{WebSocket, WebSocketMessage};
use super::source::{Outgoing, Source};
use crate::event_streams::{StreamKind, StreamState};
use crate::session::Session;

/// Messages that wait for the handler, and messages that wait to be written, at most.
const QUEUE_LENGTH: usize = 8;

/// Gives what the handler of a WebSocket sends.
pub(super) struct AppSource<F> {
    session: Session,
    number: u64,
    state: watch::Receiver<StreamState>,
    outgoing: mpsc::Receiver<Outgoing>,
    /// Started once the socket is open.
    handler: Option<(F, WebSocket)>,
    running: Option<JoinHandle<()>>,
    has_panicked: Arc<AtomicBool>,
}

impl<F> AppSource<F> {
    /// Gives the place for the client's messages as well.
    pub(super) fn new(session: Session, handler: F) -> (Self, mpsc::Sender<WebSocketMessage>) {
        let max = session.state.config.max_streams_per_session;
        let (number, state) = session.served.streams().open(StreamKind::WebSocket, max);
        let (inbox, incoming) = mpsc::channel(QUEUE_LENGTH);
        let (sender, outgoing) = mpsc::channel(QUEUE_LENGTH);
        let has_panicked = Arc::new(AtomicBool::new(false));
        let socket = WebSocket::new(session.clone(), incoming, sender, Arc::clone(&has_panicked));
        let handler = Some((handler, socket));
        (Self { session, number, state, outgoing, handler, running: None, has_panicked }, inbox)
    }

    /// The frame where the session or this WebSocket of it has ended.
    fn session_end(&self) -> Option<CloseFrame> {
        let state = *self.state.borrow();
        match state.closed(StreamKind::WebSocket, self.session.state.is_stopping()) {
            Some(reason) => Some(of_session(&self.session.state, reason)),
            None => state.is_evicted(StreamKind::WebSocket, self.number).then(evicted),
        }
    }

    /// The frame where the handler has dropped its WebSocket.
    fn handler_end(&self) -> CloseFrame {
        if self.has_panicked.load(Ordering::Acquire) {
            close_frame(CloseCode::Error, "The server has failed.")
        } else {
            close_frame(CloseCode::Normal, "")
        }
    }
}

impl<F> Drop for AppSource<F> {
    fn drop(&mut self) {
        self.session.served.streams().record_closed(StreamKind::WebSocket, self.number);
    }
}

impl<F, R> Source for AppSource<F>
where
    F: FnOnce(WebSocket) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    async fn next(&mut self) -> Outgoing {
        if let Some((handler, socket)) = self.handler.take() {
            self.running = Some(tokio::spawn(async move { handler(socket).await }));
        }
        let service = Arc::clone(&self.session.state);
        loop {
            if let Some(end) = self.session_end() {
                return Outgoing::Close(end);
            }
            tokio::select! {
                biased;
                _ = self.state.changed() => {}
                () = service.streams_end.cancelled() => return Outgoing::Close(service_restart()),
                outgoing = self.outgoing.recv() => {
                    return outgoing.unwrap_or_else(|| Outgoing::Close(self.handler_end()));
                }
            }
        }
    }

    fn close(&mut self) {
        self.outgoing.close();
    }

    fn accepted(&mut self) -> Option<Message> {
        match self.outgoing.try_recv() {
            Ok(Outgoing::Message(message)) => Some(message),
            Ok(Outgoing::Close(_)) | Err(_) => None,
        }
    }

    async fn finished(mut self) {
        // Its WebSocket counts as closed, however long the handler goes on.
        let running = self.running.take();
        drop(self);
        let Some(running) = running else { return };
        if running.await.is_err_and(|error| error.is_panic()) {
            warn!("the handler of a WebSocket panicked; its client was disconnected");
        }
    }
}
