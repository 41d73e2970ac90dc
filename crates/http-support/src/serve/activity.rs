//! What a connection is doing (waiting, receiving a head, or serving requests), and how long it may do so.
//!
//! hyper's own time limit for heads also runs between requests. Here an idle connection is kept for the keep-alive time, and
//! a head has its own time limit, from its first byte. If that byte arrives while another request is being served, the time
//! counts from the end of that request.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long a client may take to send a request's head, from its first byte.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection may take to close. HTTP/2 clients answer the server's GOAWAY.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waiting for the first request.
    New { since: Instant },
    /// Waiting for another request.
    Idle { since: Instant },
    /// Receiving a head.
    Head { since: Instant },
    /// Serving requests. In HTTP/1.1 there is one at a time.
    Serving { requests: u32, input: Input },
}

/// What the bytes that arrive while a request is being served belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// The request itself.
    Request,
    /// The next request: this one has arrived completely.
    Next,
    /// The next request, whose head has begun to arrive.
    NextHead,
}

/// What one connection is doing, as reported by its bytes and its requests.
#[derive(Debug)]
pub(super) struct Activity {
    stage: Mutex<Stage>,
    /// Whether the file descriptor is needed for another connection.
    evicted: AtomicBool,
    task: AtomicWaker,
}

impl Activity {
    pub(super) fn new() -> Self {
        let stage = Stage::New { since: Instant::now() };
        Self { stage: Mutex::new(stage), evicted: AtomicBool::new(false), task: AtomicWaker::new() }
    }

    pub(super) fn stage(&self) -> Stage {
        *self.stage.lock()
    }

    /// Reports that bytes have arrived. They begin a head unless they belong to a request that is being served.
    pub(super) fn received(&self) {
        let mut stage = self.stage.lock();
        match *stage {
            Stage::New { .. } | Stage::Idle { .. } => *stage = Stage::Head { since: Instant::now() },
            Stage::Serving { requests, input: Input::Next } => {
                *stage = Stage::Serving { requests, input: Input::NextHead };
            }
            Stage::Head { .. } | Stage::Serving { input: Input::Request | Input::NextHead, .. } => {}
        }
    }

    /// Reports that the request that is being served has arrived completely: later bytes belong to the next one.
    pub(super) fn request_complete(&self) {
        let mut stage = self.stage.lock();
        if let Stage::Serving { requests, input: Input::Request } = *stage {
            *stage = Stage::Serving { requests, input: Input::Next };
        }
    }

    /// Reports that the bytes so far are not part of a head: the connection still waits for its first request.
    pub(super) fn reset(&self) {
        *self.stage.lock() = Stage::New { since: Instant::now() };
    }

    /// Reports that a request is being served, until the guard is dropped.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        let mut stage = self.stage.lock();
        let others = match *stage {
            Stage::Serving { requests, .. } => requests,
            Stage::New { .. } | Stage::Idle { .. } | Stage::Head { .. } => 0,
        };
        *stage = Stage::Serving { requests: others + 1, input: Input::Request };
        drop(stage);
        Serving(Arc::clone(self))
    }

    /// Closes the connection, unless it is serving a request.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Ordering::Release);
        self.task.wake();
    }

    #[cfg(test)]
    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.load(Ordering::Acquire)
    }

    /// Runs a connection. When it has been idle for `keep_alive`, cancels `close`, which asks it to close. Drops it when its head
    /// is late, and when it is evicted.
    pub(super) async fn watch(
        &self,
        connection: impl Future<Output = ()>,
        keep_alive: Duration,
        close: &CancellationToken,
    ) {
        let mut connection = pin!(connection);
        let mut timer = pin!(sleep_until(Instant::now() + keep_alive));
        let mut closing = None;
        poll_fn(|cx| {
            self.task.register(cx.waker());
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            loop {
                let due = match self.stage() {
                    Stage::Serving { .. } => {
                        self.evicted.store(false, Ordering::Release);
                        return Poll::Pending;
                    }
                    Stage::New { .. } | Stage::Idle { .. } | Stage::Head { .. }
                        if self.evicted.load(Ordering::Acquire) =>
                    {
                        debug!("an idle connection was closed to make room for another");
                        return Poll::Ready(());
                    }
                    // Even without keep-alive, a client has time to send its first request.
                    Stage::New { since } => closing.unwrap_or(since + keep_alive.max(HEAD_TIMEOUT)),
                    Stage::Idle { since } => closing.unwrap_or(since + keep_alive),
                    Stage::Head { since } => since + HEAD_TIMEOUT,
                };
                if timer.deadline() != due {
                    timer.as_mut().reset(due);
                }
                ready!(timer.as_mut().poll(cx));
                match self.stage() {
                    Stage::New { .. } | Stage::Idle { .. } if closing.is_none() => {
                        // Wakes the connection, which closes at once in HTTP/1.1.
                        close.cancel();
                        closing = Some(Instant::now() + CLOSE_TIMEOUT);
                    }
                    Stage::New { .. } | Stage::Idle { .. } | Stage::Head { .. } | Stage::Serving { .. } => {
                        debug!("a connection sent no request in time");
                        return Poll::Ready(());
                    }
                }
            }
        })
        .await;
    }
}

/// Guard of a request that is being served.
#[derive(Debug)]
pub(super) struct Serving(Arc<Activity>);

impl Drop for Serving {
    fn drop(&mut self) {
        let mut stage = self.0.stage.lock();
        *stage = match *stage {
            Stage::Serving { requests, input } if requests > 1 => Stage::Serving { requests: requests - 1, input },
            Stage::Serving { input: Input::NextHead, .. } => Stage::Head { since: Instant::now() },
            Stage::Serving { .. } | Stage::New { .. } | Stage::Idle { .. } | Stage::Head { .. } => {
                Stage::Idle { since: Instant::now() }
            }
        };
        let has_deadline = !matches!(*stage, Stage::Serving { .. });
        drop(stage);
        if has_deadline {
            // An HTTP/2 request ends in its own task: the connection's task must set its timer.
            self.0.task.wake();
        }
    }
}

#[cfg(test)]
mod tests;
