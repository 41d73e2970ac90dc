//! The work beside the requests: the drain task, the store, and the upkeep of sessions. Started once, joined at the end.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt as _};
use parking_lot::Mutex;
use session_domain::lifecycle::Signal;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::closers::Closers;
use crate::drain::DrainTask;
use crate::error::{AlreadyStarted, ServeError};
use crate::service_state::ServiceState;
use crate::signals::signals;
use crate::{scrape, sharing, sweep, tasks, transfers, websocket};

/// The tasks of one handle.
pub(crate) struct Background {
    /// The maintenance switch.
    switch: watch::Receiver<bool>,
    task: Mutex<Task>,
    /// Held while [`Background::finish`] waits: a task wakes one waiter only.
    finishing: tokio::sync::Mutex<()>,
    progress: Progress,
}

/// What the task has reached, and what it waits for.
#[derive(Clone, Default)]
struct Progress {
    /// Cancelled when start-up is complete: store contacted or timed out, switch applied.
    ready: CancellationToken,
    /// Cancelled when the drain is over, and not where the work has failed.
    drained: CancellationToken,
    /// Cancelled when the drain is over, or the work has failed.
    over: CancellationToken,
    /// Cancelled when the server has stopped.
    finish: CancellationToken,
}

/// The one task that owns the others.
enum Task {
    /// With the closers that it will run.
    NotStarted(Closers),
    Running(JoinHandle<Result<(), ServeError>>),
    Finished,
}

impl Background {
    pub(crate) fn new(switch: watch::Receiver<bool>, closers: Closers) -> Self {
        let (task, finishing) = (Mutex::new(Task::NotStarted(closers)), tokio::sync::Mutex::new(()));
        Self { switch, task, finishing, progress: Progress::default() }
    }

    /// Starts the work with the signals that `signals` gives, which is called only where the work was not started before.
    ///
    /// # Errors
    /// Where it was started before.
    pub(crate) fn start<S>(&self, state: &Arc<ServiceState>, signals: impl FnOnce() -> S) -> Result<(), AlreadyStarted>
    where
        S: Stream<Item = Signal> + Send + 'static,
    {
        let mut task = self.task.lock();
        let Task::NotStarted(closers) = &mut *task else { return Err(AlreadyStarted) };
        let closers = std::mem::take(closers);
        let (state, switch, progress, signals) =
            (Arc::clone(state), self.switch.clone(), self.progress.clone(), signals());
        *task = Task::Running(tokio::spawn(async move {
            // Releases waiters and ends the event streams even if the task fails: a server waits for open streams.
            let waited_for = [&progress.ready, &progress.over, &state.streams_end];
            let _guards = waited_for.map(|token| token.clone().drop_guard());
            run(state, switch, closers, signals, &progress).await
        }));
        Ok(())
    }

    /// Starts the work with the signals of the process, unless it was started before.
    pub(crate) fn start_with_process_signals(&self, state: &Arc<ServiceState>) {
        // Started before, it listens to the signals that it was given.
        self.start(state, process_signals).unwrap_or(());
    }

    /// Waits until newcomers may be admitted.
    pub(crate) async fn ready(&self) {
        self.progress.ready.cancelled().await;
    }

    /// Waits until the drain is over, or the work has failed.
    pub(crate) async fn over(&self) {
        self.progress.over.cancelled().await;
    }

    /// Whether the drain is over. Where the work is over otherwise, it has failed.
    pub(crate) fn is_drained(&self) -> bool {
        self.progress.drained.is_cancelled()
    }

    /// Ends the work, and waits for its end.
    ///
    /// # Errors
    /// Where a part of it has failed. One call gets the error.
    ///
    /// # Cancel safety
    /// Cancel safe: the work ends all the same, and another call waits for it.
    pub(crate) async fn finish(&self) -> Result<(), ServeError> {
        self.progress.finish.cancel();
        let _turn = self.finishing.lock().await;
        poll_fn(|context| self.poll_end(context)).await
    }

    /// The task is kept until it has ended, so that it can be aborted until then.
    fn poll_end(&self, context: &mut Context<'_>) -> Poll<Result<(), ServeError>> {
        let mut task = self.task.lock();
        let Task::Running(running) = &mut *task else { return Poll::Ready(Ok(())) };
        let ended = ready!(Pin::new(running).poll(context));
        *task = Task::Finished;
        Poll::Ready(ended.unwrap_or_else(|error| Err(ServeError::part_ended(Some(error)))))
    }

    /// Ends the work at once, where it was not finished.
    pub(crate) fn abort(&self) {
        if let Task::Running(task) = &*self.task.lock() {
            task.abort();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Task::Running(task) = self.task.get_mut()
            && !task.is_finished()
        {
            warn!("the last handle was dropped before it was finished: no drain follows");
            task.abort();
        }
    }
}

/// The signals of the process; none where they cannot be caught.
fn process_signals() -> impl Stream<Item = Signal> + Send + 'static {
    match signals() {
        Ok(signals) => signals.left_stream(),
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "signals cannot be caught: this process does not drain");
            futures_util::stream::pending().right_stream()
        }
    }
}

async fn run(
    state: Arc<ServiceState>,
    switch: watch::Receiver<bool>,
    closers: Closers,
    signals: impl Stream<Item = Signal> + Send,
    progress: &Progress,
) -> Result<(), ServeError> {
    let Progress { ready, drained, over, finish } = progress;
    let stop_sharing = CancellationToken::new();
    let mut sharing = match state.sessions.sharing() {
        Some(sharing) => sharing::start(sharing, &stop_sharing).await,
        None => JoinSet::new(),
    };
    let mut drain = DrainTask::start(Arc::clone(&state), switch).await.with_closers(closers);
    let mut upkeep = JoinSet::new();
    upkeep.spawn(sweep::run(Arc::clone(&state), finish.clone()));
    upkeep.spawn(transfers::watch(Arc::clone(&state), finish.clone()));
    upkeep.spawn(tasks::lapse(Arc::clone(&state), finish.clone()));
    upkeep.spawn(scrape::keep_up_to_date(Arc::clone(&state), finish.clone()));
    ready.cancel();
    state.sessions.sharing().into_iter().for_each(|sharing| sharing.mark_started());
    tokio::select! {
        biased;
        // The upkeep ends with it, which is no failure then.
        () = finish.cancelled() => {}
        () = drain.run(signals) => drained.cancel(),
        ended = part_ends(&mut sharing) => return Err(ServeError::part_ended(ended)),
        ended = part_ends(&mut upkeep) => if ended.is_some() || !finish.is_cancelled() {
            return Err(ServeError::part_ended(ended));
        },
    }
    state.streams_end.cancel();
    over.cancel();
    if !drained.is_cancelled() {
        // The app has finished without a drain.
        drain.close_resources().await;
    }
    tokio::select! {
        biased;
        () = finish.cancelled() => {}
        ended = part_ends(&mut sharing) => return Err(ServeError::part_ended(ended)),
    }
    let mut failed = None;
    while let Some(ended) = upkeep.join_next().await {
        failed = failed.or(ended.err());
    }
    // Each WebSocket ends within its own time limit. Where another server than the bundled one has stopped, they may still be closing.
    state.websockets.close();
    let websockets = timeout(websocket::CLOSE_TIMEOUT * 2, state.websockets.wait());
    match state.sessions.sharing() {
        // At the same time: a WebSocket whose client does not read takes none of the store's time, which ends with the grace period.
        Some(shared) => _ = tokio::join!(websockets, sharing::shut_down(shared, sharing, &stop_sharing)),
        None => _ = websockets.await,
    }
    failed.map_or(Ok(()), |error| Err(ServeError::part_ended(Some(error))))
}

/// Waits until a task ends before its time; for ever where there are none.
async fn part_ends(tasks: &mut JoinSet<()>) -> Option<JoinError> {
    match tasks.join_next().await {
        Some(ended) => ended.err(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
