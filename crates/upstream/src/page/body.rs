//! The body of an answer on its way to the browser: as it came, or with the script.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use thiserror::Error;

use super::rewriting::Rewriting;

/// How many pieces one poll decodes without a result before it lets other tasks run. What decodes to zeros yields nothing for long.
const MAX_STEPS: usize = 16;

/// Any error of a body.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a body ended too early.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The app's answer broke.
    #[error("the app's answer broke off")]
    App(#[source] BoxError),
    /// The body is not in the content coding that the app's answer names, from somewhere on.
    #[error("the app's answer is not in the content coding that it names")]
    Coding(#[source] std::io::Error),
}

pin_project! {
    /// The body of an answer. It streams, and holds a few kilobytes at most.
    pub struct Body<B> {
        #[pin]
        inner: B,
        rewriting: Option<Box<Rewriting>>,
        has_length: bool,
        end: End,
    }
}

/// How the app's body ended.
#[derive(Debug)]
enum End {
    Open,
    Complete(Option<HeaderMap>),
    Failed(BodyError),
    Over,
}

impl<B> Body<B> {
    /// A body that passes as it came.
    pub(super) const fn unchanged(inner: B) -> Self {
        Self { inner, rewriting: None, has_length: true, end: End::Open }
    }

    /// The body of an answer to `HEAD`, which is empty. The server must not take its length for the page's.
    pub(super) const fn of_head(inner: B) -> Self {
        Self { inner, rewriting: None, has_length: false, end: End::Open }
    }

    /// A body that gets the script.
    pub(super) fn rewritten(inner: B, rewriting: Rewriting) -> Self {
        Self { inner, rewriting: Some(Box::new(rewriting)), has_length: false, end: End::Open }
    }
}

impl<B> std::fmt::Debug for Body<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("is_rewritten", &self.rewriting.is_some()).finish_non_exhaustive()
    }
}

impl<B> http_body::Body for Body<B>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut this = self.project();
        let Some(rewriting) = this.rewriting else {
            let frame = ready!(this.inner.poll_frame(cx));
            return Poll::Ready(frame.map(|frame| match frame {
                Ok(frame) => Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))),
                Err(error) => Err(BodyError::App(error.into())),
            }));
        };
        for _ in 0..MAX_STEPS {
            if let Some(bytes) = rewriting.next_ready() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if !matches!(this.end, End::Open) {
                return Poll::Ready(match std::mem::replace(this.end, End::Over) {
                    End::Complete(Some(trailers)) => Some(Ok(Frame::trailers(trailers))),
                    End::Failed(error) => Some(Err(error)),
                    End::Complete(None) | End::Open | End::Over => None,
                });
            }
            let result = if rewriting.has_input() {
                rewriting.step()
            } else {
                match this.inner.as_mut().poll_frame(cx) {
                    Poll::Pending => {
                        // Nothing is held back while the app pauses.
                        let result = rewriting.flush();
                        if result.is_ok() && !rewriting.has_ready() {
                            return Poll::Pending;
                        }
                        result
                    }
                    Poll::Ready(None) => {
                        *this.end = End::Complete(None);
                        rewriting.finish()
                    }
                    Poll::Ready(Some(Err(error))) => {
                        *this.end = End::Failed(BodyError::App(error.into()));
                        rewriting.flush()
                    }
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(mut data) => {
                            rewriting.push(data.copy_to_bytes(data.remaining()));
                            Ok(())
                        }
                        Err(frame) => {
                            let mut trailers = frame.into_trailers().unwrap_or_default();
                            super::response::remove_digests(&mut trailers);
                            *this.end = End::Complete(Some(trailers));
                            rewriting.finish()
                        }
                    },
                }
            };
            if let Err(error) = result {
                tracing::warn!(error = %error, "a page of the app is not in the content coding that it names: it ends there");
                *this.end = End::Failed(BodyError::Coding(error));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        match self.rewriting {
            Some(_) => matches!(self.end, End::Over),
            None => self.has_length && self.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        if self.has_length { self.inner.size_hint() } else { SizeHint::default() }
    }
}
