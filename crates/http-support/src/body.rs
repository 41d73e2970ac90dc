//! Reading a request's body into one bounded buffer, at a minimum rate.
//!
//! hyper reads into a buffer of 8 KiB and returns slices of it. A slice keeps its whole buffer alive, so that collected
//! slices cost 8 KiB each, however small. Here every chunk is copied into one buffer and dropped at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use bytes::Buf as _;
use http::StatusCode;
use http_body::Body as _;
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

/// The limits for reading one body.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body that is accepted, in bytes.
    pub max_bytes: usize,
    /// How long any body may take, however small.
    pub first: Duration,
    /// The minimum rate after that time, in bytes per second.
    pub min_rate: u64,
    /// How long any body may take at most.
    pub total: Duration,
}

impl Limits {
    /// The limits for a form of at most `max_bytes`: 10 s for the first bytes, then 1 KiB a second, and 30 s in total.
    pub const fn of(max_bytes: usize) -> Self {
        Self { max_bytes, first: Duration::from_secs(10), min_rate: 1024, total: Duration::from_secs(30) }
    }

    /// How long a body may have taken when `received` bytes have arrived.
    fn time_for(&self, received: usize) -> Duration {
        let earned = Duration::from_millis(received as u64 * 1000 / self.min_rate.max(1));
        (self.first + earned).min(self.total)
    }
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BodyError {
    /// The body is larger than the limit. The client should send less.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The body arrived too slowly. The client may try again.
    #[error("the body arrived too slowly")]
    TooSlow,
    /// The connection broke, or the framing of the body is wrong.
    #[error("the body is incomplete")]
    Broken,
}

impl BodyError {
    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body to its end. Holds at most `limits.max_bytes`, and at most twice the bytes received.
///
/// # Errors
/// Fails if the body is too large, too slow or incomplete.
pub async fn read(mut body: Body, limits: Limits) -> Result<Vec<u8>, BodyError> {
    if body.size_hint().lower() > limits.max_bytes as u64 {
        discard(&mut body).await;
        return Err(BodyError::TooLarge(limits.max_bytes));
    }
    let began = Instant::now();
    let mut bytes = Vec::new();
    loop {
        let due = began + limits.time_for(bytes.len());
        let frame = timeout_at(due, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)));
        let Some(frame) = frame.await.map_err(|_| BodyError::TooSlow)? else { return Ok(bytes) };
        // Trailers are ignored.
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if data.remaining() > limits.max_bytes - bytes.len() {
            discard(&mut body).await;
            return Err(BodyError::TooLarge(limits.max_bytes));
        }
        bytes.extend_from_slice(&data);
    }
}

/// How many bytes of a body that is too large are read and discarded. A client may lose the response when its connection
/// closes with bytes unread.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;

/// How long a body that is too large is read and discarded. A slower client may lose the response.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads and discards more of the body, so that a client that has nearly sent it all receives the response.
async fn discard(body: &mut Body) {
    let discarding = async {
        let mut discarded = 0;
        while discarded < MAX_DISCARDED_BYTES
            && let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
        {
            discarded += frame.data_ref().map_or(0, bytes::Buf::remaining);
        }
    };
    let _ = timeout(DISCARD_TIMEOUT, discarding).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::stream::{self, StreamExt as _};

    use super::*;

    /// A body of `count` chunks of `size` bytes, with a `pause` before each.
    fn chunks(count: usize, size: usize, pause: Duration) -> Body {
        Body::from_stream(stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, Infallible>(Bytes::from(vec![b'x'; size]))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_to_its_end_within_the_size_limit() {
        let limits = Limits::of(100);
        assert_eq!(read(chunks(100, 1, Duration::ZERO), limits).await.map(|bytes| bytes.len()), Ok(100));
        assert_eq!(read(chunks(101, 1, Duration::ZERO), limits).await, Err(BodyError::TooLarge(100)));
        assert_eq!(read(Body::from(vec![0; 101]), limits).await, Err(BodyError::TooLarge(100)));
        assert_eq!(read(Body::empty(), limits).await, Ok(Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_below_the_minimum_rate_fails_and_a_slow_one_does_not() {
        let limits = Limits::of(64 * 1024);
        let began = Instant::now();
        assert_eq!(read(chunks(usize::MAX, 1, Duration::from_secs(1)), limits).await, Err(BodyError::TooSlow));
        assert_eq!(began.elapsed().as_secs(), 10);
        let slow = chunks(12, 2048, Duration::from_secs(1));
        assert_eq!(read(slow, limits).await.map(|bytes| bytes.len()), Ok(12 * 2048));
        let began = Instant::now();
        assert_eq!(read(chunks(usize::MAX, 1100, Duration::from_secs(1)), limits).await, Err(BodyError::TooSlow));
        assert_eq!(began.elapsed().as_secs(), 30);
    }
}
