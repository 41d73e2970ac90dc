//! Server-sent events: how one event is encoded, and the response that carries a stream of them.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use tracing::error;

/// Encodes one event, with `data` as one line of JSON. `name` must not have a line break.
///
/// Data that cannot be serialized is logged, and sent as `{}`.
pub fn encode(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|error| {
        error!(error = &error as &dyn std::error::Error, event = name, "cannot serialize an event");
        "{}".to_owned()
    });
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// A `text/event-stream` response that proxies neither store, transform nor buffer.
pub fn response(events: Body) -> Response {
    let mut response = Response::new(events);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_its_name_and_one_line_of_data() {
        let event = encode("drain", &json!({ "message": "one\ntwo\r\nthree" }));
        assert_eq!(event, "event: drain\ndata: {\"message\":\"one\\ntwo\\r\\nthree\"}\n\n");
    }

    #[test]
    fn data_that_cannot_be_serialized_is_an_empty_object() {
        let unserializable = HashMap::from([(vec![1], 2)]);
        assert_eq!(encode("x", &unserializable), "event: x\ndata: {}\n\n");
    }
}
