//! Closing every connection after its next response, so that clients open new ones, which a proxy can lead to another pod.
//!
//! Before the switch is on, a request costs one atomic read for this. A connection that is idle stays until its next response: a client
//! may send a request at the moment at which it would close.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONNECTION, HeaderValue};
use http::{Response, StatusCode, Version};
use tokio_util::sync::CancellationToken;

/// A switch that makes every connection close after its next response. Cheap to clone; never goes off again.
#[derive(Clone, Debug, Default)]
pub struct CloseAfterAnswer(Arc<AtomicBool>);

impl CloseAfterAnswer {
    /// Makes every connection close after its next response.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether connections close after their next response.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Tells the client of HTTP/1 that the connection closes after this response, where the switch is on. A connection that changes its
    /// protocol stays.
    pub fn announce<B>(&self, response: &mut Response<B>, version: Version) {
        if self.is_on() && version <= Version::HTTP_11 && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Closes one connection where the switch is on.
#[derive(Clone, Debug)]
pub(super) struct ConnectionCloser {
    switch: CloseAfterAnswer,
    /// In an `Arc`: cloning the token itself takes a lock.
    close: Arc<CancellationToken>,
}

impl ConnectionCloser {
    pub(super) fn new(switch: CloseAfterAnswer, close: CancellationToken) -> Self {
        Self { switch, close: Arc::new(close) }
    }

    /// Prepares the connection for its end after a response whose head is about to be sent. HTTP/2 sends GOAWAY once.
    pub(super) fn answer<B>(&self, response: &mut Response<B>, version: Version) {
        self.switch.announce(response, version);
        if version > Version::HTTP_11 {
            self.body();
        }
    }

    /// The same for a response whose head may have been sent before the switch was on.
    pub(super) fn body(&self) {
        if self.switch.is_on() && !self.close.is_cancelled() {
            self.close.cancel();
        }
    }
}
