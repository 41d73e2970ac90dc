//! How the response of a connection leaves hyper: the service asks for the source of the body, and the connection learns when the body
//! has left it and everything before it was written.

use std::sync::atomic::{AtomicU8, Ordering};

use http::header::{CONNECTION, HeaderMap};
use http::{Method, Request, Response, StatusCode, Version};
use parking_lot::Mutex;

use super::detachable_body::{Chunks, DetachableSource};

/// No body is asked for its source.
const IDLE: u8 = 0;
/// The body of a response is asked for its source.
const ASKED: u8 = 1;
/// The body has left its source, and the bytes before it are in the socket.
const READY: u8 = 2;

/// The state of one connection over HTTP/1.1. Requests read one atomic of it.
#[derive(Default)]
pub(super) struct Handover {
    stage: AtomicU8,
    response: Mutex<Option<Asked>>,
}

struct Asked {
    source: DetachableSource,
    keeps_alive: bool,
}

/// A body that has left hyper.
pub(super) struct LeftBody {
    pub(super) chunks: Chunks,
    /// Whether the connection takes another request after this response.
    pub(super) keeps_alive: bool,
}

/// What the request says of the connection. Asked before the request is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    may_leave: bool,
    keeps_alive: bool,
}

impl Terms {
    /// Only the response to a request of HTTP/1.1 that has arrived completely may leave: hyper alone knows where a body ends, and frames
    /// responses of HTTP/1.0 in another way.
    pub(super) fn of<B: hyper::body::Body>(request: &Request<B>) -> Self {
        let is_plain = request.version() == Version::HTTP_11 && request.method() == Method::GET;
        Self {
            may_leave: is_plain && request.body().is_end_stream(),
            keeps_alive: is_plain && !is_closed_after(request.headers()),
        }
    }
}

impl Handover {
    /// Asks for the source of this response's body, where it has one and may leave.
    pub(super) fn ask<B>(&self, response: &mut Response<B>, terms: Terms) {
        if !terms.may_leave || response.status() != StatusCode::OK {
            return;
        }
        let Some(source) = response.extensions_mut().remove::<DetachableSource>() else { return };
        source.want();
        let keeps_alive = terms.keeps_alive && !is_closed_after(response.headers());
        *self.response.lock() = Some(Asked { source, keeps_alive });
        self.stage.store(ASKED, Ordering::Release);
    }

    /// Reports that all bytes written so far are in the socket.
    pub(super) fn flushed(&self) {
        if self.stage.load(Ordering::Acquire) == ASKED
            && self.response.lock().as_ref().is_some_and(|asked| asked.source.is_left())
        {
            self.stage.store(READY, Ordering::Release);
        }
    }

    /// The body that has left, once everything before it was written.
    pub(super) fn take(&self) -> Option<LeftBody> {
        if self.stage.load(Ordering::Acquire) != READY {
            return None;
        }
        self.stage.store(IDLE, Ordering::Release);
        let Asked { source, keeps_alive } = self.response.lock().take()?;
        Some(LeftBody { chunks: source.take()?, keeps_alive })
    }
}

/// Whether a head says that the connection closes after its message.
fn is_closed_after(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| {
        let options = value.as_bytes().split(|byte| *byte == b',');
        options.map(<[u8]>::trim_ascii).any(|option| option.eq_ignore_ascii_case(b"close"))
    })
}
