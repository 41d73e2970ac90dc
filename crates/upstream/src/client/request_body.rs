//! The body of a request on its way to the app: its framing, its trailers, and its wait for `100 Continue`.
//!
//! hyper's server sends `100 Continue` to the client when the body is read for the first time. A body that the client holds back
//! (`Expect: 100-continue`) is therefore not read before the app has answered 100.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::header::{CONTENT_LENGTH, EXPECT, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Request, StatusCode};
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::head::{reserved, trailers};

/// How long the app may take to answer 100. An app of HTTP/1.0 never does, and waits for the body, which clients send by then.
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the body may be read.
const OPEN: u8 = 0;
const HELD_BACK: u8 = 1;
const ABANDONED: u8 = 2;

/// What is known of the body of a request while it is sent.
#[derive(Debug, Default)]
pub(super) struct Upload {
    gate: AtomicU8,
    waker: AtomicWaker,
    is_complete: AtomicBool,
    has_failed: AtomicBool,
}

impl Upload {
    /// Whether all of the body was read.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    /// Whether the body broke off.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// The app wants the body.
    fn open(&self) {
        if self.gate.compare_exchange(HELD_BACK, OPEN, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.waker.wake();
        }
    }

    /// The answer is complete or given up: a body that is held back is not sent any more, which ends its connection.
    pub(super) fn abandon(&self) {
        if self.gate.compare_exchange(HELD_BACK, ABANDONED, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.waker.wake();
        }
    }
}

/// The body of a request.
#[derive(Debug)]
pub(super) struct RequestBody {
    body: Body,
    upload: Option<Arc<Upload>>,
    /// The end of the wait for 100.
    continue_timeout: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(super) fn empty() -> Self {
        Self { body: Body::empty(), upload: None, continue_timeout: None }
    }
}

/// Frames the request in exactly one way, whatever way it came. Returns whether it has a body.
pub(super) fn set_framing(head: &mut Parts, body: &Body) -> bool {
    let headers = &mut head.headers;
    headers.remove(TRANSFER_ENCODING);
    let had_length = headers.remove(CONTENT_LENGTH).is_some();
    if http_body::Body::is_end_stream(body) {
        if had_length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        return false;
    }
    match http_body::Body::size_hint(body).exact() {
        Some(length) => headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
        None => headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked")),
    };
    true
}

/// The request with its body, and what is known of that while it is sent.
pub(super) fn with_upload(head: Parts, body: Body, has_body: bool) -> (Request<RequestBody>, Option<Arc<Upload>>) {
    if !has_body {
        return (Request::from_parts(head, RequestBody::empty()), None);
    }
    let expectation = head.headers.get(EXPECT).map(HeaderValue::as_bytes);
    let is_held_back = expectation.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
    let upload = Arc::new(Upload::default());
    let body = RequestBody { body, upload: Some(Arc::clone(&upload)), continue_timeout: None };
    let mut request = Request::from_parts(head, body);
    if is_held_back {
        upload.gate.store(HELD_BACK, Ordering::Release);
        request.body_mut().continue_timeout = Some(Box::pin(sleep(CONTINUE_TIMEOUT)));
        let upload = Arc::clone(&upload);
        hyper::ext::on_informational(&mut request, move |answer| {
            if answer.status() == StatusCode::CONTINUE {
                upload.open();
            }
        });
    }
    (request, Some(upload))
}

impl RequestBody {
    /// Waits until the body may be read.
    fn poll_gate(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        let (Some(upload), Some(timeout)) = (&self.upload, &mut self.continue_timeout) else {
            return Poll::Ready(Ok(()));
        };
        upload.waker.register(cx.waker());
        if upload.gate.load(Ordering::Acquire) == HELD_BACK {
            ready!(timeout.as_mut().poll(cx));
            upload.open();
        }
        if upload.gate.load(Ordering::Acquire) == ABANDONED {
            return Poll::Ready(Err(axum::Error::new(io::Error::other("the app has answered without the body"))));
        }
        self.continue_timeout = None;
        Poll::Ready(Ok(()))
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Err(error) = ready!(self.poll_gate(cx)) {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(upload) = &self.upload {
            match &frame {
                Some(Err(_)) => upload.has_failed.store(true, Ordering::Release),
                None => upload.is_complete.store(true, Ordering::Release),
                Some(Ok(_)) if self.body.is_end_stream() => upload.is_complete.store(true, Ordering::Release),
                Some(Ok(_)) => {}
            }
        }
        Poll::Ready(frame.map(|frame| frame.map(|frame| trailers::change(frame, reserved::remove))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
