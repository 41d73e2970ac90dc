//! Bodies whose bytes are counted, and which fail once their request is cut.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::transfer::{Direction, Transfer};
use super::window::MOVING_BYTES;

/// Whether a body may be large enough to count as moving.
pub(crate) fn is_worth_metering(hint: &SizeHint) -> bool {
    hint.upper().is_none_or(|bytes| bytes >= MOVING_BYTES)
}

/// The request was cut: its session was force-closed.
#[derive(Debug, thiserror::Error)]
#[error("the session ended before the transfer was complete")]
pub(crate) struct TransferCut;

/// Counts the bytes of a body.
#[derive(Debug)]
pub(crate) struct Meter {
    transfer: Arc<Transfer>,
    direction: Direction,
    until_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Meter {
    pub(crate) fn new(transfer: Arc<Transfer>, direction: Direction) -> Self {
        let until_cut = Box::pin(transfer.until_cut());
        Self { transfer, direction, until_cut }
    }

    /// Wakes the task when the request is cut.
    ///
    /// # Errors
    /// Where it was cut.
    pub(super) fn check(&mut self, context: &mut Context<'_>) -> Result<(), axum::Error> {
        match self.until_cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(axum::Error::new(TransferCut)),
            Poll::Pending => Ok(()),
        }
    }

    /// Counts the bytes of a frame.
    pub(super) fn record(&self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.transfer.record(self.direction, data.len() as u64);
        }
    }
}

/// A request body whose bytes are counted.
#[derive(Debug)]
pub(crate) struct MeteredUpload {
    body: Body,
    meter: Meter,
}

impl MeteredUpload {
    pub(crate) fn new(body: Body, transfer: &Arc<Transfer>) -> Self {
        Self { body, meter: Meter::new(Arc::clone(transfer), Direction::Up) }
    }
}

impl Drop for MeteredUpload {
    /// A handler that has read enough drops the body.
    fn drop(&mut self) {
        self.meter.transfer.record_upload_end();
    }
}

impl HttpBody for MeteredUpload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Err(cut) = self.meter.check(context) {
            return Poll::Ready(Some(Err(cut)));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.meter.record(frame);
                if self.body.is_end_stream() {
                    self.meter.transfer.record_upload_end();
                }
            }
            Poll::Ready(None) => self.meter.transfer.record_upload_end(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
