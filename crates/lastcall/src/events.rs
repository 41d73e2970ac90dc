//! The events of a session, and `GET /events`: the event stream of the caller's session.
//!
//! [`feed`] says which event comes when; event streams and WebSockets share it. A feed shows *state*: the notice that runs is in a watch channel, so a stream that opens in the middle of a
//! countdown hears of it at once, and a broadcast costs one wake-up and one write a stream, encoded once for all.

pub(crate) mod feed;
pub(crate) mod server_event;
mod stream;

use axum::Extension;
use axum::body::Body;
use axum::response::Response;
use http_support::{ConnectionHandle, sse};

use crate::presence::EventStreamAnswer;
use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;

/// Opens the event stream. `HEAD` gets the head of the response and opens nothing.
pub(crate) async fn events(
    context: RequestContext,
    connection: Option<Extension<ConnectionHandle>>,
) -> Result<Response, Refusal> {
    let session = context.require_session()?;
    if context.facts.is_head {
        return Ok(sse::response(Body::empty()));
    }
    let state = &context.state;
    let open = state.metrics.open_stream(state.config.max_streams);
    let open = open.ok_or_else(|| context.refuse(Reason::TooManyStreams))?;
    let stream = stream::open(session.clone(), open, connection.map(|Extension(connection)| connection));
    session.publish_open_stream().await;
    let mut response = sse::response(Body::from_stream(stream));
    response.extensions_mut().insert(EventStreamAnswer);
    Ok(response)
}
