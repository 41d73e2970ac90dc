//! The body of an answer: its framing, the way of its connection back into the pool, and what happens where the app cuts it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tracing::warn;

use super::OnError;
use super::connection::Sender;
use super::error::{ErrorKind, UpstreamError};
use super::pool::Pool;
use super::request_body::Upload;
use crate::head::{answer, trailers, transfer_coding};

/// The connection of one request and its answer.
pub(super) struct Lease {
    sender: Sender,
    pool: Arc<Pool>,
    upload: Option<Arc<Upload>>,
}

impl Lease {
    pub(super) const fn new(sender: Sender, pool: Arc<Pool>, upload: Option<Arc<Upload>>) -> Self {
        Self { sender, pool, upload }
    }

    /// The answer is complete: the connection can be used again, unless the app has not read all of the request.
    fn release(self) {
        let Self { mut sender, pool, upload } = self;
        if let Some(upload) = upload
            && !upload.is_complete()
        {
            upload.abandon();
        } else if sender.is_ready() {
            pool.put(sender);
        } else if !sender.is_closed() {
            // The end of the answer is known here before the connection has noted it.
            tokio::spawn(async move {
                if sender.ready().await.is_ok() {
                    pool.put(sender);
                }
            });
        }
    }
}

/// The body of an answer of the app.
pub struct AnswerBody {
    body: Incoming,
    lease: Option<Lease>,
    /// Whether the answer has none, whatever its fields say.
    is_bodiless: bool,
    on_error: Arc<OnError>,
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerBody").field("body", &self.body).finish_non_exhaustive()
    }
}

impl AnswerBody {
    pub(super) fn new(body: Incoming, lease: Lease, is_bodiless: bool, on_error: Arc<OnError>) -> Self {
        let mut answer = Self { body, lease: Some(lease), is_bodiless, on_error };
        if is_bodiless || answer.body.is_end_stream() {
            answer.release();
        }
        answer
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.release();
        }
    }
}

/// Frames the answer in exactly one way.
///
/// # Errors
/// Where it has a transfer coding that is not understood.
pub(super) fn set_framing(head: &mut Parts, body: &Incoming, is_bodiless: bool) -> Result<(), UpstreamError> {
    let headers = &mut head.headers;
    if headers.contains_key(TRANSFER_ENCODING) {
        if transfer_coding::is_only_chunked(headers) != Some(true) {
            return Err(UpstreamError::Refused("it has a transfer coding other than chunked"));
        }
        headers.remove(TRANSFER_ENCODING);
        headers.remove(CONTENT_LENGTH);
        return Ok(());
    }
    let has_one_length = {
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let digits = |length: &http::HeaderValue| length.as_bytes().iter().all(u8::is_ascii_digit);
        lengths.next().is_none_or(digits) && lengths.next().is_none()
    };
    if !has_one_length {
        headers.remove(CONTENT_LENGTH);
        if let Some(length) = body.size_hint().exact()
            && !is_bodiless
        {
            headers.insert(CONTENT_LENGTH, length.into());
        }
    }
    Ok(())
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if self.is_bodiless {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(_)) if self.body.is_end_stream() => self.release(),
            Some(Ok(_)) => {}
            None => self.release(),
            Some(Err(error)) => {
                let client_left =
                    self.lease.take().and_then(|lease| lease.upload.clone()).is_some_and(|upload| upload.has_failed());
                if !client_left {
                    warn!(
                        error = error as &dyn std::error::Error,
                        "the app closed the connection in the middle of an answer, which is cut"
                    );
                    (self.on_error)(ErrorKind::Cut);
                }
            }
        }
        Poll::Ready(frame.map(|frame| frame.map(|frame| trailers::change(frame, answer::remove_instructions))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_bodiless || self.body.is_end_stream()
    }

    /// Unknown where there is no body: nothing then adds a length that the app has not given.
    fn size_hint(&self) -> SizeHint {
        if self.is_bodiless { SizeHint::default() } else { self.body.size_hint() }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(upload) = self.lease.take().and_then(|lease| lease.upload.clone()) {
            upload.abandon();
        }
    }
}
