//! Encodes server-sent events.

use bytes::Bytes;
use serde::Serialize;

/// Encodes one event. The payloads are Lastcall's own and always serialise; JSON has no line breaks.
pub(crate) fn frame(event: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    format!("event: {event}\ndata: {data}\n\n").into()
}
