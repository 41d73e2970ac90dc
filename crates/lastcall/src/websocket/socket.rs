//! A WebSocket as the app's handler gets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::source::Outgoing;
use crate::event_streams::StreamKind;
use crate::notices::Notices;
use crate::session::Session;

/// The longest reason of a Close frame, in bytes.
const MAX_REASON_BYTES: usize = 123;

/// A message of a WebSocket. Pings, pongs and Close frames are Lastcall's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebSocketMessage {
    /// A text. Cheap to clone.
    Text(Utf8Bytes),
    /// Bytes. Cheap to clone.
    Binary(Bytes),
}

impl From<&str> for WebSocketMessage {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for WebSocketMessage {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<WebSocketMessage> for Message {
    fn from(message: WebSocketMessage) -> Self {
        match message {
            WebSocketMessage::Text(text) => Self::Text(Bytes::from(text).try_into().unwrap_or_default()),
            WebSocketMessage::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

/// The WebSocket is closed, or about to be: nothing is sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the WebSocket is closed")]
pub struct WebSocketClosed;

/// An open WebSocket of a session. Dropping it closes it with 1000, and with 1011 where the handler panics.
///
/// Lastcall closes it with 1012 when the pod stops, and with 1001 when the session ends otherwise: between messages, and after what [`send`](Self::send) has accepted. [`recv`](Self::recv) gives `None` then, and the handler should
/// return. Before a countdown ends each WebSocket is closed at a moment of its own in the last seconds.
#[derive(Debug)]
pub struct WebSocket {
    session: Session,
    incoming: mpsc::Receiver<WebSocketMessage>,
    outgoing: mpsc::Sender<Outgoing>,
    has_panicked: Arc<AtomicBool>,
}

impl WebSocket {
    pub(super) const fn new(
        session: Session,
        incoming: mpsc::Receiver<WebSocketMessage>,
        outgoing: mpsc::Sender<Outgoing>,
        has_panicked: Arc<AtomicBool>,
    ) -> Self {
        Self { session, incoming, outgoing, has_panicked }
    }

    /// Waits for the client's next message. `None` once the WebSocket is closed, by whichever side.
    ///
    /// While the handler does not receive, Lastcall soon stops reading, so that the client has to wait.
    ///
    /// # Cancel safety
    /// Cancel safe: no message is lost.
    pub async fn recv(&mut self) -> Option<WebSocketMessage> {
        self.incoming.recv().await
    }

    /// Sends a message. Returns as soon as it has a place in the queue, which holds few; waits for a client that reads slowly. A client
    /// that takes no message for ten seconds is disconnected.
    ///
    /// # Errors
    /// Where the WebSocket is closed.
    ///
    /// # Cancel safety
    /// Cancel safe: where it is dropped, the message is not sent.
    pub async fn send(&self, message: impl Into<WebSocketMessage> + Send) -> Result<(), WebSocketClosed> {
        let message = Outgoing::Message(message.into().into());
        self.outgoing.send(message).await.map_err(|_| WebSocketClosed)
    }

    /// Closes the WebSocket, after what was sent. `code` is 1000, 1003, 1007 to 1011, or 3000 to 4999; any other becomes 1000. `reason` is
    /// cut to 123 bytes.
    pub async fn close(self, code: u16, reason: &str) {
        let code = CloseCode::from(code);
        let frame = CloseFrame {
            code: if code.is_allowed() { code } else { CloseCode::Normal },
            reason: reason[..reason.floor_char_boundary(MAX_REASON_BYTES)].into(),
        };
        // Closed already: nothing to do.
        let _ = self.outgoing.send(Outgoing::Close(frame)).await;
    }

    /// Follows the notices of the session, so that the handler can tell its user: each that is read counts the session as notified.
    pub fn notices(&self) -> Notices {
        self.session.notices_on(StreamKind::WebSocket)
    }

    /// The session that the WebSocket belongs to.
    pub const fn session(&self) -> &Session {
        &self.session
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.has_panicked.store(true, Ordering::Release);
        }
    }
}
