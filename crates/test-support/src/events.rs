//! Reading event streams as browsers do.

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::TEST_TIMEOUT;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The name of the event.
    pub name: String,
    /// The data of the event.
    pub data: Value,
    /// The reconnection time in milliseconds, if the event has one.
    pub retry: Option<u64>,
}

/// An open event stream. Dropping it closes the connection.
#[derive(Debug)]
pub struct Events {
    answer: Response,
    read: String,
}

impl Events {
    /// Reads the events of a response.
    pub const fn new(answer: Response) -> Self {
        Self { answer, read: String::new() }
    }

    /// A header field of the response.
    pub fn header(&self, name: &str) -> &str {
        self.answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Waits for the next event. Panics if the stream ends.
    pub async fn next(&mut self) -> Event {
        self.next_or_end().await.expect("the stream ended")
    }

    /// Waits for the next event with this name, and skips others.
    pub async fn next_named(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// Waits for the next event. Returns `None` at the end of the stream.
    pub async fn next_or_end(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let event = parse(block);
                self.read = rest.to_owned();
                return Some(event);
            }
            let chunk = timeout(TEST_TIMEOUT, self.answer.chunk()).await.expect("no event came");
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
