//! The task of one WebSocket, from the handshake to the end of the connection.

use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::closing_moment::ClosingMoment;
use super::connection::{Connection, Received};
use super::keep_alive::{Due, KeepAlive};
use super::open_socket::OpenSocket;
use super::session_end::close_frame;
use super::socket::WebSocketMessage;
use super::source::{Outgoing, Source};
use super::throttle::Throttle;
use super::upgrade::WebSocketUpgrade;
use crate::session::Session;

/// How long closing may take in all: what was accepted before, the Close frame, and the wait for the client's. Once the service stops, a
/// message that is being written counts, too. The end of the service waits for it.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The connection to a client.
type ClientConnection = Connection<TokioIo<Upgraded>>;

/// Starts the task, and gives the response that switches protocols. `inbox` takes the client's messages; without it they are ignored.
pub(super) fn spawn(
    upgrade: WebSocketUpgrade,
    session: Session,
    open: OpenSocket,
    source: impl Source,
    inbox: Option<mpsc::Sender<WebSocketMessage>>,
) -> Response {
    let response = upgrade.response();
    let WebSocketUpgrade { on_upgrade, max_message_size, read_buffer_size, .. } = upgrade;
    // Nobody joins the task: it ends with its connection, and the end of the service waits for it by `open`.
    tokio::spawn(async move {
        // Where the client has gone before the handshake was over, everything is dropped.
        let Ok(upgraded) = on_upgrade.await else { return };
        let stop = session.state.streams_end.clone();
        let driver = Driver {
            connection: Connection::new(TokioIo::new(upgraded), max_message_size, read_buffer_size, stop).await,
            keep_alive: KeepAlive::new(session.state.config.heartbeat_interval),
            moment: ClosingMoment::new(&session),
            throttle: Throttle::new(Instant::now()),
            source,
            inbox,
        };
        let source = driver.run().await;
        drop(open);
        source.finished().await;
    });
    response
}

struct Driver<S> {
    connection: ClientConnection,
    source: S,
    inbox: Option<mpsc::Sender<WebSocketMessage>>,
    keep_alive: KeepAlive,
    moment: ClosingMoment,
    throttle: Throttle,
}

/// How a WebSocket ends.
enum End {
    /// This side closes it.
    Close(CloseFrame),
    /// The client has closed it.
    Closed,
    /// The connection is gone, or takes nothing any more.
    Gone,
}

impl<S: Source> Driver<S> {
    /// Runs until the connection has ended.
    async fn run(mut self) -> S {
        let end = loop {
            if let Some(end) = self.turn().await {
                break end;
            }
        };
        let Self { mut connection, mut source, inbox, .. } = self;
        // The handler hears of the end before the client has answered it.
        drop(inbox);
        source.close();
        match end {
            End::Close(frame) => {
                let close_by = connection.close_by();
                let rest = async {
                    while let Some(message) = source.accepted() {
                        connection.write(message).await?;
                    }
                    Ok::<_, super::connection::WriteFailed>(())
                };
                // What takes longer is cut: a Close frame comes between messages only.
                if let Ok(Ok(())) = timeout_at(close_by, rest).await {
                    connection.close(frame).await;
                }
            }
            End::Closed => connection.answer_close().await,
            End::Gone => drop(connection),
        }
        source
    }

    /// Waits for the next thing that happens, and acts on it.
    async fn turn(&mut self) -> Option<End> {
        let Self { connection, source, inbox, keep_alive, moment, throttle } = self;
        tokio::select! {
            outgoing = source.next() => match outgoing {
                Outgoing::Message(message) => write(connection, keep_alive, message).await,
                Outgoing::Close(frame) => Some(End::Close(frame)),
            },
            frame = moment.reached() => Some(End::Close(frame)),
            (permit, received) = receive(connection, inbox.as_ref(), throttle) => {
                keep_alive.record_heard();
                match received {
                    Received::Message(message) => {
                        match permit {
                            Some(permit) => permit.send(message),
                            None => throttle.count(Instant::now()),
                        }
                        None
                    }
                    Received::Control { needs_answer } => {
                        throttle.count(Instant::now());
                        let began = Instant::now();
                        let answered = if needs_answer { connection.answer_ping().await } else { Ok(()) };
                        keep_alive.record_unread(began);
                        answered.err().map(|_| End::Gone)
                    }
                    Received::Close => Some(End::Closed),
                    Received::Fault(frame) => Some(End::Close(frame)),
                    Received::Gone => Some(End::Gone),
                }
            }
            due = keep_alive.due() => {
                // While the handler is busy nothing is read, and no answer is seen.
                let is_busy = inbox.as_ref().is_some_and(|inbox| inbox.capacity() == 0);
                if is_busy {
                    keep_alive.record_heard();
                }
                if due == Due::Gone && !is_busy {
                    return Some(End::Close(close_frame(CloseCode::Away, "No answer to pings.")));
                }
                write(connection, keep_alive, Message::Ping(Bytes::new())).await
            }
        }
    }
}

/// Writes a message. Nothing is read meanwhile.
async fn write(connection: &mut ClientConnection, keep_alive: &mut KeepAlive, message: Message) -> Option<End> {
    let began = Instant::now();
    let written = connection.write(message).await;
    keep_alive.record_unread(began);
    written.err().map(|_| End::Gone)
}

/// Reads from the client once there is room for what it sends, and it does not send too fast.
async fn receive<'a>(
    connection: &mut ClientConnection,
    inbox: Option<&'a mpsc::Sender<WebSocketMessage>>,
    throttle: &Throttle,
) -> (Option<mpsc::Permit<'a, WebSocketMessage>>, Received) {
    if let Some(until) = throttle.until(Instant::now()) {
        sleep_until(until).await;
    }
    let permit = match inbox.map(mpsc::Sender::reserve) {
        Some(permit) => match permit.await {
            Ok(permit) => Some(permit),
            // The handler has dropped the WebSocket, which closes it.
            Err(_) => std::future::pending().await,
        },
        None => None,
    };
    (permit, connection.read().await)
}
