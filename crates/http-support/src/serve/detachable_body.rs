//! A response body that can leave hyper: once its response has begun and it has to wait, its source can be taken and sent by other means.
//!
//! Wherever nothing takes the source, it is an ordinary body: over HTTP/2, HTTP/1.0 and TLS, and on a server of the app's own.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http_body::Frame;
use parking_lot::Mutex;

/// What a body sends.
pub(super) type Chunks = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// Makes a response whose body is `chunks`. A server of this crate takes the source from it, unless a layer has replaced the extensions
/// of the response: layers that change the body must remove them.
pub(crate) fn response(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let source = DetachableSource(Arc::default());
    let body = DetachableBody { chunks: Some(Box::pin(chunks)), source: source.clone() };
    let mut response = Response::new(Body::new(body));
    response.extensions_mut().insert(source);
    response
}

/// Where a body leaves its source. Travels with the response, outside of the boxes that layers put around the body.
#[derive(Clone)]
pub(super) struct DetachableSource(Arc<Slot>);

#[derive(Default)]
struct Slot {
    is_wanted: AtomicBool,
    chunks: Mutex<Option<Chunks>>,
}

impl DetachableSource {
    /// Asks the body for its source.
    pub(super) fn want(&self) {
        self.0.is_wanted.store(true, Ordering::Release);
    }

    /// Whether the body has left its source. It sends nothing after that.
    pub(super) fn is_left(&self) -> bool {
        self.0.chunks.lock().is_some()
    }

    /// How many hold it: the body, while hyper sends it, and others.
    #[cfg(test)]
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// The source, once the body has left it.
    pub(super) fn take(&self) -> Option<Chunks> {
        self.0.chunks.lock().take()
    }
}

/// The body.
struct DetachableBody {
    /// Absent once it was left for another sender.
    chunks: Option<Chunks>,
    source: DetachableSource,
}

impl http_body::Body for DetachableBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        // Without its source it neither sends nor ends: the sender of the source goes on with this response.
        let Some(chunks) = &mut self.chunks else { return Poll::Pending };
        let next = chunks.as_mut().poll_next(context);
        // Not before it has to wait: its first chunks leave together with the head.
        if next.is_pending() && self.source.0.is_wanted.load(Ordering::Acquire) {
            let chunks = self.chunks.take();
            *self.source.0.chunks.lock() = chunks;
        }
        next.map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}
