//! Reporting the activity of a connection: a stream that reports received bytes, and a response body that reports its end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::{Activity, Serving};
use super::close_after_answer::ConnectionCloser;

/// A stream that reports when it receives bytes, unless `activity` is absent.
#[derive(Debug)]
pub(super) struct TrackedIo {
    stream: TcpStream,
    activity: Option<Arc<Activity>>,
}

impl TrackedIo {
    pub(super) const fn new(stream: TcpStream, activity: Option<Arc<Activity>>) -> Self {
        Self { stream, activity }
    }
}

impl AsyncRead for TrackedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Some(activity) = &self.activity
            && buf.filled().len() > before
        {
            activity.received();
        }
        read
    }
}

impl AsyncWrite for TrackedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of a response. Its request counts as being served until the body is dropped.
#[derive(Debug)]
pub(super) struct TrackedBody {
    body: Body,
    /// Closes the connection after this response, where that was decided while it was being sent.
    closer: Option<ConnectionCloser>,
    _serving: Serving,
}

impl TrackedBody {
    pub(super) const fn new(body: Body, serving: Serving, closer: Option<ConnectionCloser>) -> Self {
        Self { body, closer, _serving: serving }
    }
}

impl http_body::Body for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let (Poll::Ready(_), Some(closer)) = (&frame, &self.closer) {
            // Before the end of the response is written: the client sees both at once, and sends nothing in between.
            closer.body();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        // A response without a body, or one that the client did not want to the end.
        if let Some(closer) = &self.closer {
            closer.body();
        }
    }
}
