//! Trailers: the fields behind a body.

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

/// Changes the fields of a frame that holds trailers.
pub(crate) fn change(frame: Frame<Bytes>, change: impl FnOnce(&mut HeaderMap)) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            change(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}
