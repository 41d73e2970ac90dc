//! A request's body whose small chunks hold their own bytes and nothing else.
//!
//! A chunk of hyper's is a slice that keeps the read buffer of 8 KiB alive. An app that collects chunks, as axum's own
//! extractors do, would hold 8 KiB for each, however small.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// Chunks below this size are copied; larger ones are worth their buffer.
const COPIED_BELOW: usize = 4 * 1024;

/// A body with compact chunks.
#[derive(Debug)]
pub(super) struct CompactBody(pub(super) Incoming);

impl Body for CompactBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.0).poll_frame(cx);
        frame.map_ok(|frame| {
            frame.map_data(|data| if data.len() < COPIED_BELOW { Bytes::copy_from_slice(&data) } else { data })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
