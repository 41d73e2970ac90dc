//! Reads the event stream of an answer.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::browser::{Answer, Failure};

/// One event.
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: Value,
}

/// An open event stream. Dropping it closes it, with its connection if that is HTTP/1.1.
pub(super) struct Events {
    answer: Answer,
    read: String,
}

impl Events {
    pub(super) const fn new(answer: Answer) -> Self {
        Self { answer, read: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// The stream broke off, or was silent for `patience`.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Option<Event>, Failure> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parse(block);
                self.read = rest.to_owned();
                if event.is_some() {
                    return Ok(event);
                }
            }
            match timeout(patience, self.answer.next()).await.map_err(|_| Failure::Silent)?? {
                Some(piece) => self.read.push_str(&String::from_utf8_lossy(&piece)),
                None => return Ok(None),
            }
        }
    }
}

/// A block without an event is a comment.
fn parse(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data = serde_json::from_str(field("data:").unwrap_or("null")).unwrap_or_default();
    Some(Event { name: field("event:")?.to_owned(), data })
}
