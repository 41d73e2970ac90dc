//! A request's body whose small chunks own their bytes, and which reports its end.
//!
//! hyper's chunks are slices that keep the read buffer of 8 KiB alive. An app that collects chunks, as axum's extractors do,
//! would hold 8 KiB for each, however small.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::activity::Activity;

/// Chunks below this size are copied, in bytes.
const MAX_COPIED_BYTES: usize = 4 * 1024;

/// A body with compact chunks.
#[derive(Debug)]
pub(super) struct CompactBody {
    body: Incoming,
    /// Where the end of the body is reported. Absent once it was reported, and in HTTP/2.
    activity: Option<Arc<Activity>>,
}

impl CompactBody {
    pub(super) fn new(body: Incoming, activity: Option<Arc<Activity>>) -> Self {
        let mut compact = Self { body, activity };
        if compact.body.is_end_stream() {
            compact.report_end();
        }
        compact
    }

    fn report_end(&mut self) {
        if let Some(activity) = self.activity.take() {
            activity.request_complete();
        }
    }
}

impl Body for CompactBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None)) {
            self.report_end();
        }
        frame.map_ok(|frame| {
            frame.map_data(|data| if data.len() < MAX_COPIED_BYTES { Bytes::copy_from_slice(&data) } else { data })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
