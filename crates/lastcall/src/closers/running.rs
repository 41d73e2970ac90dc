//! Runs the closers, one after another.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use session_domain::lifecycle::LogLine;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{error, info};

use super::{Closer, Closers};

/// Why a resource was not closed.
#[derive(Debug, Error)]
pub(crate) enum CloseError {
    /// Its own error.
    #[error("it failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    #[error("its code panicked")]
    Panicked,
    #[error("it did not end within {}s", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("no thread could be started for it")]
    NoThread(#[source] std::io::Error),
    /// The operator did not want to wait.
    #[error("the process stops without waiting for it")]
    Abandoned,
}

/// The closers of a drain, and how far they are.
#[derive(Default)]
pub(crate) struct Closing {
    /// The last one is next.
    waiting: Vec<Closer>,
    running: Option<RunningCloser>,
}

impl Closing {
    pub(crate) fn new(closers: Closers) -> Self {
        Self { waiting: closers.0, running: None }
    }

    /// Runs the closers that are left, each within its time limit.
    ///
    /// # Cancel safety
    /// Cancel safe: the running one goes on, and the next call waits for it.
    pub(crate) async fn run(&mut self) {
        loop {
            if let Some(running) = &mut self.running {
                let ended = running.ended().await;
                let name = Arc::clone(&running.name);
                self.running = None;
                ended.unwrap_or_else(|error| report(&name, &error));
            }
            let Some(next) = self.waiting.pop() else { return };
            let name = Arc::clone(&next.name);
            match RunningCloser::start(next) {
                Ok(running) => self.running = Some(running),
                Err(error) => report(&name, &CloseError::NoThread(error)),
            }
        }
    }

    /// Gives up the closers that have not ended, and logs each of them.
    pub(crate) fn abandon(&mut self) {
        let running = self.running.take().map(|running| Arc::clone(&running.name));
        let waiting = self.waiting.drain(..).rev().map(|closer| closer.name);
        running.into_iter().chain(waiting).for_each(|name| report(&name, &CloseError::Abandoned));
    }
}

fn report(name: &str, error: &CloseError) {
    error!(
        closer.name = name,
        error = error as &dyn Error,
        "{name} was not closed properly: what it had not written yet may be lost"
    );
}

/// A closer on its thread. Dropped, its future is dropped, unless it blocks the thread.
pub(super) struct RunningCloser {
    pub(super) name: Arc<str>,
    timeout: Duration,
    started_at: Instant,
    /// When the log says that it runs, unless it has ended by then.
    announce_at: Option<Instant>,
    result: oneshot::Receiver<Result<(), Box<dyn Error + Send + Sync>>>,
    _stop: DropGuard,
}

impl RunningCloser {
    fn start(closer: Closer) -> std::io::Result<Self> {
        let Closer { name, timeout, announce_after, close } = closer;
        let (started_at, stop) = (Instant::now(), CancellationToken::new());
        let announce_at = announce_after.map(|delay| started_at + delay);
        if announce_at.is_none() {
            announce(&name, timeout);
        }
        let (done, result) = oneshot::channel();
        let (runtime, stopped) = (Handle::current(), stop.clone());
        // Detached: the process may exit while a closer blocks its thread.
        thread::Builder::new().name("lastcall-closer".to_owned()).spawn(move || {
            // A panic drops the sender.
            if let Some(result) = runtime.block_on(stopped.run_until_cancelled_owned(close.into_inner())) {
                // Nobody listens after the limit.
                let _ = done.send(result);
            }
        })?;
        Ok(Self { name, timeout, started_at, announce_at, result, _stop: stop.drop_guard() })
    }

    /// # Cancel safety
    /// Cancel safe.
    async fn ended(&mut self) -> Result<(), CloseError> {
        let deadline = self.started_at + self.timeout;
        loop {
            let announcement = self.announce_at.unwrap_or(deadline).min(deadline);
            tokio::select! {
                biased;
                ended = &mut self.result => return match ended {
                    Ok(result) => result.map_err(CloseError::Failed),
                    Err(_) => Err(CloseError::Panicked),
                },
                () = sleep_until(announcement), if self.announce_at.is_some() => {
                    self.announce_at = None;
                    announce(&self.name, self.timeout);
                }
                () = sleep_until(deadline), if self.announce_at.is_none() => {
                    return Err(CloseError::TimedOut(self.timeout));
                }
            }
        }
    }
}

fn announce(name: &Arc<str>, timeout: Duration) {
    info!("{}", LogLine::Closing(Arc::clone(name), timeout));
}
