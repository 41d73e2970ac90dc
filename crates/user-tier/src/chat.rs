//! The chat of the sample page: a WebSocket of the app's own, made with `Session::websocket`.
//!
//! What a user says reaches the users of this pod at once (`room`), and those of the other pods through Redis (`relay`), where there is
//! one. Nothing is stored but the last messages, in memory.

mod message;
mod rate;
mod relay;
mod room;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http_support::Problem;
use lastcall::{Session, WebSocketUpgrade};

pub use relay::{RelayAddress, RelayTask};
use room::Room;

/// The largest message that a browser may send, in bytes: a text of the largest size, and what JSON adds to it.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;

/// The chat of one pod.
#[derive(Clone, Debug)]
pub struct Chat(Arc<Room>);

impl Chat {
    /// Creates the chat. With an address it reaches the other pods from now on, until the task is dropped. Needs a Tokio runtime.
    pub fn start(relay: Option<RelayAddress>) -> (Self, Option<RelayTask>) {
        match relay {
            Some(address) => {
                let (room, outbox) = Room::relayed();
                let room = Arc::new(room);
                let task = RelayTask::start(address, Arc::clone(&room), outbox);
                (Self(room), Some(task))
            }
            None => (Self(Arc::new(Room::of_this_pod())), None),
        }
    }

    /// The routes: `GET /chat` opens the WebSocket.
    pub(crate) fn router(self) -> Router {
        Router::new().route("/chat", get(open)).with_state(self)
    }
}

async fn open(session: Option<Session>, State(Chat(room)): State<Chat>, upgrade: WebSocketUpgrade) -> Response {
    let Some(session) = session else {
        let detail = "Open the page first: it starts a session.";
        return Problem::new(StatusCode::UNAUTHORIZED, "No session", detail).into_response();
    };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES);
    session.websocket(upgrade, |socket| socket::serve(socket, room)).await
}
