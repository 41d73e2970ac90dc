//! What a connection is doing: idle, receiving a head, or serving requests; and how long it may go on doing so.
//!
//! hyper's own time limit for heads runs between requests, too. Here an idle connection is kept for the keep-alive time,
//! and a head has its own time from its first byte.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// A client has so long to send a request's head, counted from its first byte.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What an idle connection gets to close in an orderly way: HTTP/2 clients answer the server's goodbye.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for its first request.
    New { since: Instant },
    /// It waits for another request.
    Idle { since: Instant },
    /// A head has begun to arrive.
    Head { since: Instant },
    /// So many requests are being served.
    Serving { requests: u32 },
}

/// What one connection is doing, as its bytes and its requests report it.
#[derive(Debug)]
pub(super) struct Activity {
    stage: Mutex<Stage>,
    /// Set where its file descriptor is needed for another connection.
    evicted: AtomicBool,
    task: AtomicWaker,
}

impl Activity {
    pub(super) fn new() -> Self {
        let stage = Stage::New { since: Instant::now() };
        Self { stage: Mutex::new(stage), evicted: AtomicBool::new(false), task: AtomicWaker::new() }
    }

    pub(super) fn stage(&self) -> Stage {
        *self.lock()
    }

    /// Bytes have come. Where no request is being served they are the beginning of a head.
    pub(super) fn received(&self) {
        let mut stage = self.lock();
        if matches!(*stage, Stage::New { .. } | Stage::Idle { .. }) {
            *stage = Stage::Head { since: Instant::now() };
        }
    }

    /// What has come was no part of a head: the connection waits for its first request still.
    pub(super) fn reset(&self) {
        *self.lock() = Stage::New { since: Instant::now() };
    }

    /// A request is being served until the guard is dropped.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        let mut stage = self.lock();
        *stage = match *stage {
            Stage::Serving { requests } => Stage::Serving { requests: requests + 1 },
            Stage::New { .. } | Stage::Idle { .. } | Stage::Head { .. } => Stage::Serving { requests: 1 },
        };
        drop(stage);
        Serving(Arc::clone(self))
    }

    /// Closes the connection, unless a request is being served by then.
    pub(super) fn evict(&self) {
        self.evicted.store(true, Ordering::Release);
        self.task.wake();
    }

    #[cfg(test)]
    pub(super) fn is_evicted(&self) -> bool {
        self.evicted.load(Ordering::Acquire)
    }

    /// Runs a connection. While it is idle for longer than `keep_alive` it is asked to close by `close`; where its head
    /// is late, or it is evicted, it is dropped.
    pub(super) async fn watch(
        &self,
        conversation: impl Future<Output = ()>,
        keep_alive: Duration,
        close: &CancellationToken,
    ) {
        let mut conversation = pin!(conversation);
        let mut timer = pin!(sleep_until(Instant::now() + keep_alive));
        let mut closing = None;
        poll_fn(|cx| {
            self.task.register(cx.waker());
            if conversation.as_mut().poll(cx).is_ready() {
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
                    // Even where no connection is kept a client gets the time to send its first request.
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
                        // Wakes the conversation, which closes at once in HTTP/1.1.
                        close.cancel();
                        closing = Some(Instant::now() + CLOSING_TIMEOUT);
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

    fn lock(&self) -> MutexGuard<'_, Stage> {
        // A poisoned lock is safe to reuse: every critical section is a single assignment.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being served.
#[derive(Debug)]
pub(super) struct Serving(Arc<Activity>);

impl Drop for Serving {
    fn drop(&mut self) {
        let mut stage = self.0.lock();
        *stage = match *stage {
            Stage::Serving { requests } if requests > 1 => Stage::Serving { requests: requests - 1 },
            Stage::Serving { .. } | Stage::New { .. } | Stage::Idle { .. } | Stage::Head { .. } => {
                Stage::Idle { since: Instant::now() }
            }
        };
        let is_idle = matches!(*stage, Stage::Idle { .. });
        drop(stage);
        if is_idle {
            // In HTTP/2 a request ends in a task of its own: the connection's task has to set its timer.
            self.0.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP_ALIVE: Duration = Duration::from_secs(75);

    /// How long a connection that does nothing by itself is kept, while `happens` happens to it.
    async fn kept(happens: impl AsyncFnOnce(Arc<Activity>)) -> Duration {
        let (activity, close) = (Arc::new(Activity::new()), CancellationToken::new());
        let began = Instant::now();
        let conversation = close.clone().cancelled_owned();
        tokio::join!(
            async {
                activity.watch(conversation, KEEP_ALIVE, &close).await;
            },
            happens(Arc::clone(&activity))
        );
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_kept_for_the_keep_alive_time_and_a_head_for_ten_seconds() {
        let sleep = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        assert_eq!(kept(async |_| ()).await.as_secs(), 75);
        let receive = |activity: &Activity| {
            activity.received();
            // Bytes are read by the connection's task, which looks at its timer then.
            activity.task.wake();
        };
        assert_eq!(kept(async |activity| receive(&activity)).await.as_secs(), 10);
        let dribbling = kept(async |activity| {
            for _ in 0..9 {
                receive(&activity);
                sleep(1).await;
            }
        });
        assert_eq!(dribbling.await.as_secs(), 10, "counted from the first byte");
        let served = kept(async |activity| {
            sleep(70).await;
            receive(&activity);
            let first = activity.serve();
            let second = activity.serve();
            sleep(200).await;
            drop(first);
            sleep(200).await;
            drop(second);
        });
        assert_eq!(served.await.as_secs(), 70 + 400 + 75, "counted from the end of the last request");
    }

    #[tokio::test(start_paused = true)]
    async fn an_evicted_connection_closes_at_once_unless_it_serves() {
        assert_eq!(kept(async |activity| activity.evict()).await.as_secs(), 0);
        let serving = kept(async |activity| {
            let request = activity.serve();
            activity.evict();
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(request);
        });
        assert_eq!(serving.await.as_secs(), 5 + 75);
    }
}
