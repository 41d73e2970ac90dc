//! A WebSocket client with the cookies of a user.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{RequestBuilder, Response, Upgraded};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::{Event, Person, TEST_TIMEOUT};

/// The key of the handshake.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// An open WebSocket. Dropping it breaks the connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<Upgraded>,
}

impl Person {
    /// Builds the request that opens a WebSocket.
    pub fn opening(&self, path: &str) -> RequestBuilder {
        self.request(path)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", KEY)
    }

    /// Opens a WebSocket. Panics where it is refused.
    pub async fn websocket(&self, path: &str) -> Socket {
        self.try_websocket(path).await.unwrap_or_else(|refused| panic!("{path}: {refused:?}"))
    }

    /// Opens a WebSocket, or gives the response that refuses it.
    pub async fn try_websocket(&self, path: &str) -> Result<Socket, Response> {
        let answer = self.opening(path).send().await.unwrap();
        if answer.status() == 101 { Ok(Socket::new(answer.upgrade().await.unwrap()).await) } else { Err(answer) }
    }
}

impl Socket {
    /// Speaks the protocol over an upgraded connection.
    pub async fn new(upgraded: Upgraded) -> Self {
        Self { stream: WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await }
    }

    /// Waits for the next text, binary or Close frame, and answers pings meanwhile. `None` where the connection ends or breaks.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match timeout(TEST_TIMEOUT, self.stream.next()).await.expect("no message came")? {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(message) => return Some(message),
                Err(_) => return None,
            }
        }
    }

    /// Waits for the next pong. Panics where the connection ends.
    pub async fn next_pong(&mut self) -> Vec<u8> {
        loop {
            let message = timeout(TEST_TIMEOUT, self.stream.next()).await.expect("no pong came");
            if let Message::Pong(data) = message.expect("the WebSocket ended").expect("the WebSocket broke") {
                return data.to_vec();
            }
        }
    }

    /// Waits for the next text. Panics where something else comes.
    pub async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("no text, but {other:?}"),
        }
    }

    /// Waits for the next event of `/ws`. Panics where the WebSocket ends.
    pub async fn event(&mut self) -> Event {
        let message: Value = serde_json::from_str(&self.text().await).unwrap();
        Event { name: message["event"].as_str().unwrap().to_owned(), data: message["data"].clone(), retry: None }
    }

    /// Waits for the next event with this name, and skips others.
    pub async fn event_named(&mut self, name: &str) -> Event {
        loop {
            let event = self.event().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// Waits for the Close frame and for the end of the connection, and gives the frame's code. Skips messages. `None` where the
    /// connection ends without one.
    pub async fn close_code(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(message) = self.next().await {
            if let Message::Close(frame) = message {
                code = frame.map(|frame| frame.code.into());
            }
        }
        code
    }

    /// Sends a text.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.send_message(Message::text(text.into())).await.unwrap();
    }

    /// Sends a message or a frame of any kind.
    pub async fn send_message(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.stream.send(message).await
    }

    /// The connection, for bytes that are no frames.
    pub fn connection(&mut self) -> &mut Upgraded {
        self.stream.get_mut()
    }
}
