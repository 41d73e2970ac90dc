//! One WebSocket of the chat.

use std::sync::Arc;

use lastcall::{WebSocket, WebSocketMessage};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::message::{FromBrowser, Refused, Said, ToBrowser};
use super::rate::Rate;
use super::room::Room;

/// A browser that sends so many texts that are refused, one after the other, is disconnected.
const MAX_REFUSED: u32 = 50;

/// The code of a WebSocket that is closed for that (1008: policy violation).
const POLICY_VIOLATION: u16 = 1008;

/// Serves one browser until it leaves or Lastcall closes its WebSocket.
pub(super) async fn serve(mut socket: WebSocket, room: Arc<Room>) {
    let (kept, mut said, mut reach) = room.enter();
    let mut rate = Rate::new(Instant::now());
    let mut refused = 0;
    for text in kept {
        if socket.send(WebSocketMessage::Text(text)).await.is_err() {
            return;
        }
    }
    reach.mark_changed();
    loop {
        let sent = tokio::select! {
            message = socket.recv() => match message {
                None => return,
                Some(message) => match hear(&socket, &room, &mut rate, &message) {
                    None => {
                        refused = 0;
                        continue;
                    }
                    Some(_) if refused == MAX_REFUSED => {
                        return socket.close(POLICY_VIOLATION, "Too many messages that are no texts of the chat.").await;
                    }
                    Some(refusal) => {
                        refused += 1;
                        socket.send(refusal).await
                    }
                },
            },
            text = said.recv() => match text {
                Ok(text) => socket.send(WebSocketMessage::Text(text)).await,
                Err(RecvError::Lagged(_)) => socket.send(ToBrowser::Missed.json()).await,
                // The room lives as long as the routes.
                Err(RecvError::Closed) => return,
            },
            _ = reach.changed() => {
                let reach = *reach.borrow_and_update();
                socket.send(ToBrowser::Reach { reach }.json()).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Passes on what the browser sends, or gives the answer that refuses it.
fn hear(socket: &WebSocket, room: &Room, rate: &mut Rate, message: &WebSocketMessage) -> Option<String> {
    let refuse = |id: &str, reason| Some(ToBrowser::Refused { id, reason }.json());
    let read = match message {
        WebSocketMessage::Text(text) => FromBrowser::read(text),
        WebSocketMessage::Binary(_) => None,
    };
    let Some(message) = read else { return refuse("", Refused::Invalid) };
    let Some(text) = message.text() else { return refuse(&message.id, Refused::Invalid) };
    if !rate.admits(Instant::now()) {
        return refuse(&message.id, Refused::TooFast);
    }
    room.say(Said { id: message.id, user: socket.session().user().as_str().to_owned(), text });
    None
}
