//! What is written to a WebSocket: the events of its session, or what the app sends.

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What is written next.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A message.
    Message(Message),
    /// The end.
    Close(CloseFrame),
}

/// Gives what is written to one WebSocket.
pub(super) trait Source: Send + 'static {
    /// Waits for what is written next.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost.
    fn next(&mut self) -> impl Future<Output = Outgoing> + Send;

    /// Accepts nothing from the app any more.
    fn close(&mut self);

    /// Gives what was accepted before [`close`](Self::close), one after the other.
    fn accepted(&mut self) -> Option<Message>;

    /// Waits for the end of the app's handler, after the socket is closed.
    fn finished(self) -> impl Future<Output = ()> + Send;
}
