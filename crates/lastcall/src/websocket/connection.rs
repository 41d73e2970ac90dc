//! The connection of one WebSocket: reads, writes within a time limit, and closes.

use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::driver::CLOSE_TIMEOUT;
use super::session_end::close_frame;
use super::socket::WebSocketMessage;

/// How long a client may take to accept one message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of what follows a faulty frame is read at once and thrown away, in bytes.
const DISCARD_BUFFER_BYTES: usize = 1024;

/// What a client has sent.
#[derive(Debug)]
pub(super) enum Received {
    Message(WebSocketMessage),
    /// A ping or a pong.
    Control {
        needs_answer: bool,
    },
    /// It closes the WebSocket.
    Close,
    /// What it sent is not allowed.
    Fault(CloseFrame),
    /// The connection is gone.
    Gone,
}

/// The client has not accepted a message in time, or the connection is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriteFailed;

/// The connection of a WebSocket.
pub(super) struct Connection<T> {
    stream: WebSocketStream<T>,
    /// Cancelled when the service stops: the connection then has only [`CLOSE_TIMEOUT`] left, with the message that is being written.
    stop: CancellationToken,
    /// When the connection is cut. None before it is closed.
    close_by: Option<Instant>,
    is_faulty: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Connection<T> {
    pub(super) async fn new(io: T, max_message_size: usize, read_buffer_size: usize, stop: CancellationToken) -> Self {
        // Each message is written at once. A pong is written before the next frame is read, so that no more than one waits.
        let config = WebSocketConfig::default()
            .read_buffer_size(read_buffer_size)
            .write_buffer_size(0)
            .max_message_size(Some(max_message_size))
            .max_frame_size(Some(max_message_size));
        let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        Self { stream, stop, close_by: None, is_faulty: false }
    }

    /// Reads the next message or control frame.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost.
    pub(super) async fn read(&mut self) -> Received {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => {
                let text = Utf8Bytes::try_from(Bytes::from(text)).unwrap_or_default();
                Received::Message(WebSocketMessage::Text(text))
            }
            Some(Ok(Message::Binary(bytes))) => Received::Message(WebSocketMessage::Binary(bytes)),
            Some(Ok(Message::Ping(_))) => Received::Control { needs_answer: true },
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Received::Control { needs_answer: false },
            Some(Ok(Message::Close(_))) => Received::Close,
            Some(Err(error)) => match fault(&error) {
                Some(frame) => {
                    self.is_faulty = true;
                    Received::Fault(frame)
                }
                None => Received::Gone,
            },
            None => Received::Gone,
        }
    }

    /// Writes a message.
    pub(super) async fn write(&mut self, message: Message) -> Result<(), WriteFailed> {
        let Self { stream, stop, close_by, .. } = self;
        within_limit(stop, close_by, stream.send(message)).await
    }

    /// Writes the answer to the ping that was read last.
    pub(super) async fn answer_ping(&mut self) -> Result<(), WriteFailed> {
        let Self { stream, stop, close_by, .. } = self;
        within_limit(stop, close_by, stream.flush()).await
    }

    /// Begins closing, and gives when it is over: [`CLOSE_TIMEOUT`] from now, or from when the service stopped during a write.
    pub(super) fn close_by(&mut self) -> Instant {
        *self.close_by.get_or_insert_with(|| Instant::now() + CLOSE_TIMEOUT)
    }

    /// Sends the Close frame, waits for the client's, and ends the connection: all before [`close_by`](Self::close_by).
    pub(super) async fn close(mut self, frame: CloseFrame) {
        let close_by = self.close_by();
        let closing = async {
            if self.stream.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            if self.is_faulty {
                return self.discard().await;
            }
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        let _ = timeout_at(close_by, closing).await;
    }

    /// Answers the client's Close frame, and ends the connection.
    pub(super) async fn answer_close(mut self) {
        let close_by = self.close_by();
        let answering = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = timeout_at(close_by, answering).await;
    }

    /// Reads on without a look at what comes: a connection that is closed with unread data loses the Close frame.
    async fn discard(&mut self) {
        let connection = self.stream.get_mut();
        if connection.shutdown().await.is_err() {
            return;
        }
        let mut buffer = [0; DISCARD_BUFFER_BYTES];
        while connection.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    }
}

async fn within_limit(
    stop: &CancellationToken,
    close_by: &mut Option<Instant>,
    write: impl Future<Output = Result<(), Error>>,
) -> Result<(), WriteFailed> {
    let stopped = async {
        stop.cancelled().await;
        sleep_until(*close_by.get_or_insert_with(|| Instant::now() + CLOSE_TIMEOUT)).await;
    };
    tokio::select! {
        biased;
        written = write => written.map_err(|_| WriteFailed),
        () = sleep(WRITE_TIMEOUT) => Err(WriteFailed),
        () = stopped => Err(WriteFailed),
    }
}

/// The Close frame for a fault of the client; `None` where the connection is gone.
fn fault(error: &Error) -> Option<CloseFrame> {
    match error {
        Error::Capacity(_) => Some(close_frame(CloseCode::Size, "The message is too large.")),
        Error::Utf8(_) => Some(close_frame(CloseCode::Invalid, "The text is not valid UTF-8.")),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(close_frame(CloseCode::Protocol, "The frame is not valid.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::super::session_end::service_restart;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stuck_message_and_the_close_frame_have_one_deadline_from_the_stop() {
        let (io, mut client) = duplex(8);
        let stop = CancellationToken::new();
        let mut connection = Connection::new(io, 1024, 1024, stop.clone()).await;
        let client = tokio::spawn(async move {
            sleep(CLOSE_TIMEOUT.mul_f64(0.9)).await;
            // The message, whose head has two bytes, and nothing after it.
            client.read_exact(&mut [0; 14]).await.unwrap();
            client
        });
        stop.cancel();
        let stopped_at = Instant::now();
        connection.write(Message::Text("x".repeat(12).into())).await.unwrap();
        connection.close(service_restart()).await;
        assert!(stopped_at.elapsed() < CLOSE_TIMEOUT.mul_f64(1.05), "{:?}", stopped_at.elapsed());
        drop(client.await);
    }
}
