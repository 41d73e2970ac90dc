//! Relays connections that the app has upgraded.
//!
//! Bytes pass both ways with bounded buffers: a side that does not read stops the other. Of WebSockets the headers of frames are read
//! (`frames`), never payloads, so that at the end a Close frame stands between two frames. Each direction carries one Close frame at
//! most, and nothing behind it: one that a side has sent passes as it is.

mod close_frame;
mod direction;
mod frames;
mod relay;

use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use relay::{Codes, Relay};
use tokio::io::{AsyncRead, AsyncWrite};

/// What is spoken on an upgraded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `Upgrade: websocket`.
    WebSocket,
    /// Anything else: bytes, of which nothing is known.
    Opaque,
}

/// The code of a Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1001: the endpoint goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: a frame was not valid.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1011: the server has failed.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the server stops, and the client connects again.
    pub const SERVICE_RESTART: Self = Self(1012);
}

/// Which side began the end of a relayed connection, by a Close frame or by the end of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The client.
    Client,
    /// The app.
    App,
    /// Neither: the relay was told to end it, or could not follow a frame.
    Relay,
}

/// What has become of a relayed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Which side began the end.
    pub closed_by: ClosedBy,
    /// How many bytes the client has sent to the app.
    pub client_bytes: u64,
    /// How many bytes the app has sent to the client.
    pub app_bytes: u64,
}

/// Relays an upgraded connection until it is over, or until `end` gives the code to close it with.
///
/// A WebSocket is then closed within about five seconds, and at once where both sides read and answer. After the message that the app is sending, or after one second between any two
/// frames, the client gets a Close frame with that code. Its frames go on to the app up to its own Close frame. If none comes within one
/// second after that was sent, the app gets a Close frame 1001. Then both connections end. A frame is cut only where its sender does not complete it, or
/// its receiver does not take it, in that time. A connection with another protocol ends at once.
///
/// Where the app ends its connection without a Close frame, as an app that is killed does, `lost_app` may give a code for the client, which
/// otherwise sees the end as it is.
///
/// A frame of 2^63 bytes or more is not passed on: its sender gets 1002 where that is the client, and the client 1011 where it is the app.
///
/// # Cancel safety
/// Dropping the future cuts both connections.
pub async fn relay<C, A>(
    client: C,
    app: A,
    protocol: Protocol,
    end: impl Future<Output = CloseCode>,
    lost_app: impl Fn() -> Option<CloseCode>,
) -> Relayed
where
    C: AsyncRead + AsyncWrite,
    A: AsyncRead + AsyncWrite,
{
    let (client, app) = (pin!(client), pin!(app));
    let mut relay = Relay::new(client, app, protocol);
    // Polled where it was woken only, not for every chunk that is relayed.
    let mut end: FuturesUnordered<_> = std::iter::once(end).collect();
    let codes = tokio::select! {
        biased;
        Some(client) = end.next() => Some(Codes { client, app: CloseCode::GOING_AWAY }),
        () = relay.run(lost_app) => relay.fault(),
    };
    if let Some(codes) = codes {
        relay.close(codes).await;
    }
    relay.cut().await
}

#[cfg(test)]
mod tests;
