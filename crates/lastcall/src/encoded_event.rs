//! How one event is encoded: as server-sent event for event streams, and as one JSON object for WebSockets.

use bytes::Bytes;
use http_support::sse;
use serde::Serialize;
use tracing::error;

/// How a client gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventEncoding {
    /// As `text/event-stream`.
    ServerSent,
    /// As text messages of a WebSocket: `{"event": NAME, "data": {…}}`.
    Message,
}

impl EventEncoding {
    /// Encodes one event. Data that cannot be serialized is logged, and sent as `{}`.
    pub(crate) fn encode(self, name: &'static str, data: &impl Serialize) -> Bytes {
        match self {
            Self::ServerSent => sse::encode(name, data),
            Self::Message => message(name, data),
        }
    }
}

fn message(event: &'static str, data: &impl Serialize) -> Bytes {
    #[derive(Serialize)]
    struct Message<'a, D> {
        event: &'static str,
        data: &'a D,
    }
    match serde_json::to_vec(&Message { event, data }) {
        Ok(message) => message.into(),
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, event, "cannot serialize an event");
            format!(r#"{{"event":"{event}","data":{{}}}}"#).into()
        }
    }
}

/// An event that many clients get, encoded once for each encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncodedEvent {
    server_sent: Bytes,
    message: Bytes,
}

impl EncodedEvent {
    pub(crate) fn new(name: &'static str, data: &impl Serialize) -> Self {
        let encode = |encoding: EventEncoding| encoding.encode(name, data);
        Self { server_sent: encode(EventEncoding::ServerSent), message: encode(EventEncoding::Message) }
    }

    /// The event in this encoding. Copies nothing.
    pub(crate) fn bytes(&self, encoding: EventEncoding) -> Bytes {
        match encoding {
            EventEncoding::ServerSent => self.server_sent.clone(),
            EventEncoding::Message => self.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_server_sent_event_or_one_object_of_name_and_data() {
        let event = EncodedEvent::new("drain", &json!({ "message": "one\ntwo" }));
        assert_eq!(event.bytes(EventEncoding::ServerSent), "event: drain\ndata: {\"message\":\"one\\ntwo\"}\n\n");
        assert_eq!(event.bytes(EventEncoding::Message), r#"{"event":"drain","data":{"message":"one\ntwo"}}"#);
    }

    #[test]
    fn a_message_whose_data_cannot_be_serialized_has_an_empty_object() {
        let unserializable = HashMap::from([(vec![1], 2)]);
        let message = EventEncoding::Message.encode("x", &unserializable);
        assert_eq!(message, r#"{"event":"x","data":{}}"#);
    }
}
