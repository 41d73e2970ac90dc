//! An event stream, read as a browser reads it.

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::PATIENCE;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The name of the event.
    pub name: String,
    /// Its payload.
    pub data: Value,
    /// The time that the stream asks to wait before it is opened again, where this event carried it.
    pub retry: Option<u64>,
}

/// An open event stream. Dropped, the connection is closed.
#[derive(Debug)]
pub struct Events {
    answer: Response,
    read: String,
}

impl Events {
    /// Reads the events of an answer.
    pub const fn new(answer: Response) -> Self {
        Self { answer, read: String::new() }
    }

    /// The headers that the stream came with.
    pub fn header(&self, name: &str) -> &str {
        self.answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The next event; panics where the stream ends instead.
    pub async fn next(&mut self) -> Event {
        self.next_or_end().await.expect("the stream ended")
    }

    /// The next event of this name; others before it are passed over.
    pub async fn next_named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// The next event, or `None` where the stream has ended.
    pub async fn next_or_end(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parse(block);
                self.read = rest.to_owned();
                return Some(event);
            }
            let chunk = timeout(PATIENCE, self.answer.chunk()).await.expect("nothing came on the event stream");
            match chunk {
                Ok(Some(bytes)) => self.read.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

fn parse(block: &str) -> Event {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Event {
        name: field("event").unwrap_or_else(|| panic!("no event in {block:?}")).to_owned(),
        data: serde_json::from_str(field("data").unwrap_or("null")).unwrap(),
        retry: field("retry").map(|retry| retry.parse().unwrap()),
    }
}
