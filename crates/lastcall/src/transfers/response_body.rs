//! A response body during which the request of its session is in flight: a download holds a drain open, and is metered once it
//! is large.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::metered_body::Meter;
use super::transfer::{Direction, Transfer};
use super::window::MOVING_BYTES;
use crate::presence::PresenceGuard;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// The most bytes that are handed to the connection at once. A body that an app gives in one piece is sent in such pieces, so that it
/// counts as moving while the client reads it.
const PIECE_BYTES: usize = 16 * 1024;

/// A response body of a session.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    body: Body,
    /// What is left of the last frame.
    rest: Bytes,
    meter: DownloadMeter,
    _guard: Option<PresenceGuard>,
}

/// How a download is metered.
pub(crate) enum DownloadMeter {
    /// Not at all.
    Off,
    /// From the moment on at which it counts as large.
    OnceLarge { state: Arc<ServiceState>, session: ServedSession, bytes: u64 },
    /// Metered.
    On(Meter),
}

impl std::fmt::Debug for DownloadMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::OnceLarge { .. } => "OnceLarge",
            Self::On(_) => "On",
        })
    }
}

impl DownloadMeter {
    /// Goes on with the request whose upload was metered.
    pub(crate) fn of(transfer: Arc<Transfer>) -> Self {
        transfer.record_download();
        Self::On(Meter::new(transfer, Direction::Down))
    }

    fn record(&mut self, piece: &Frame<Bytes>, is_last: bool) {
        match self {
            Self::Off => {}
            Self::On(meter) => meter.record(piece),
            Self::OnceLarge { state, session, bytes } => {
                *bytes += piece.data_ref().map_or(0, |data| data.len() as u64);
                if *bytes >= MOVING_BYTES && !is_last {
                    let transfer = state.transfers.open(state, session);
                    transfer.record(Direction::Down, *bytes);
                    *self = Self::of(transfer);
                }
            }
        }
    }
}

impl ResponseBody {
    pub(crate) const fn new(body: Body, guard: Option<PresenceGuard>, meter: DownloadMeter) -> Self {
        Self { body, rest: Bytes::new(), meter, _guard: guard }
    }

    /// Takes the next piece of what is left, or of `data`.
    fn piece(&mut self, data: Bytes) -> Frame<Bytes> {
        self.rest = data;
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Frame::data(piece)
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let DownloadMeter::On(meter) = &mut self.meter
            && let Err(cut) = meter.check(context)
        {
            return Poll::Ready(Some(Err(cut)));
        }
        let frame = if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.piece(data),
                    Err(trailers) => trailers,
                },
                ended => return Poll::Ready(ended),
            }
        } else {
            let rest = std::mem::take(&mut self.rest);
            self.piece(rest)
        };
        let is_last = self.is_end_stream();
        self.meter.record(&frame, is_last);
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
