//! `GET /events`: the event stream of the caller's session.
//!
//! A stream shows *state*: the notice that runs is in a watch channel, so a stream that opens in the middle of a
//! countdown hears of it at once, and a broadcast costs one wake-up and one write a stream, its frame encoded once.

mod payload;
mod stream;

use axum::Extension;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use http_support::{ConnectionHandle, sse};

use crate::account::no_session;
use crate::page;
use crate::service_state::ServiceState;
use crate::session::RequestContext;

/// A page that got no stream may ask again after so long.
const RETRY_AFTER_SECONDS: u16 = 5;

/// Marks the answer that is an event stream of ours: it counts as a stream, not as a request in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventStreamAnswer;

/// Opens the event stream.
pub(crate) async fn events(
    context: RequestContext,
    connection: Option<Extension<ConnectionHandle>>,
    headers: HeaderMap,
) -> Response {
    let Some(session) = context.session() else { return no_session(&context.state, &headers) };
    let state = &context.state;
    let Some(open) = state.metrics.open_stream(state.config.max_streams) else { return too_many(state, &headers) };
    let stream = stream::open(session.clone(), open, connection.map(|Extension(connection)| connection));
    session.streams().await;
    let mut response = sse::response(Body::from_stream(stream));
    response.extensions_mut().insert(EventStreamAnswer);
    response
}

/// The answer where the pod has as many streams open as it may. Pages ask again.
fn too_many(state: &ServiceState, headers: &HeaderMap) -> Response {
    let detail = "This server has as many event streams open as it may. Try again in a few seconds.";
    let mut response =
        page::problem(&*state.pages, headers, StatusCode::SERVICE_UNAVAILABLE, "Too many event streams", detail);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    response
}
