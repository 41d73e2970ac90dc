//! The work beside the requests: the drain task, the store, and the upkeep of sessions. Started once, joined at the end.

use std::sync::Arc;

use futures_util::Stream;
use parking_lot::Mutex;
use session_domain::lifecycle::Signal;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::drain::DrainTask;
use crate::error::{AlreadyStarted, ServeError};
use crate::service_state::ServiceState;
use crate::signals::signals;
use crate::{scrape, sharing, sweep};

/// The tasks of one handle.
pub(crate) struct Background {
    /// The maintenance switch.
    switch: watch::Receiver<bool>,
    task: Mutex<Task>,
    /// Cancelled when the store was reached, or was waited for long enough, and the pod is where its switch says.
    ready: CancellationToken,
    /// Cancelled when the drain is over, or the work has failed.
    over: CancellationToken,
    /// Cancelled when the server has stopped.
    finish: CancellationToken,
}

/// The one task that owns the others.
enum Task {
    NotStarted,
    Running(JoinHandle<Result<(), ServeError>>),
    Finished,
}

impl Background {
    pub(crate) fn new(switch: watch::Receiver<bool>) -> Self {
        let [ready, over, finish] = [(); 3].map(|()| CancellationToken::new());
        Self { switch, task: Mutex::new(Task::NotStarted), ready, over, finish }
    }

    /// Starts the work.
    ///
    /// # Errors
    /// Where it was started before.
    pub(crate) fn start(
        &self,
        state: &Arc<ServiceState>,
        signals: impl Stream<Item = Signal> + Send + 'static,
    ) -> Result<(), AlreadyStarted> {
        let mut task = self.task.lock();
        if !matches!(*task, Task::NotStarted) {
            return Err(AlreadyStarted);
        }
        let (state, switch) = (Arc::clone(state), self.switch.clone());
        let (ready, over, finish) = (self.ready.clone(), self.over.clone(), self.finish.clone());
        *task = Task::Running(tokio::spawn(async move {
            // However it ends, nobody waits for it longer.
            let _ends = (ready.clone().drop_guard(), over.clone().drop_guard());
            run(state, switch, signals, &ready, &over, &finish).await
        }));
        Ok(())
    }

    /// Starts the work with the signals of the process, unless it was started before.
    pub(crate) fn start_with_process_signals(&self, state: &Arc<ServiceState>) {
        let started = match signals() {
            Ok(signals) => self.start(state, signals),
            Err(error) => {
                error!(
                    error = &error as &dyn std::error::Error,
                    "signals cannot be caught: this process does not drain"
                );
                self.start(state, futures_util::stream::pending())
            }
        };
        // Started before, it listens to the signals that it was given.
        started.unwrap_or(());
    }

    /// Waits until newcomers may be admitted.
    pub(crate) async fn ready(&self) {
        self.ready.cancelled().await;
    }

    /// Waits until the drain is over.
    pub(crate) async fn drained(&self) {
        self.over.cancelled().await;
    }

    /// Ends the work.
    ///
    /// # Errors
    /// Where a part of it has failed.
    pub(crate) async fn finish(&self) -> Result<(), ServeError> {
        self.finish.cancel();
        let task = std::mem::replace(&mut *self.task.lock(), Task::Finished);
        match task {
            Task::NotStarted | Task::Finished => Ok(()),
            Task::Running(task) => task.await.unwrap_or_else(|error| Err(ServeError::part_ended(Some(error)))),
        }
    }

    /// Ends the work at once, where it was not finished.
    pub(crate) fn abort(&self) {
        if let Task::Running(task) = &*self.task.lock() {
            task.abort();
        }
    }
}

async fn run(
    state: Arc<ServiceState>,
    switch: watch::Receiver<bool>,
    signals: impl Stream<Item = Signal> + Send,
    ready: &CancellationToken,
    over: &CancellationToken,
    finish: &CancellationToken,
) -> Result<(), ServeError> {
    let stop_sharing = CancellationToken::new();
    let mut sharing = match state.sessions.sharing() {
        Some(sharing) => sharing::start(sharing, &stop_sharing).await,
        None => JoinSet::new(),
    };
    let drain = DrainTask::start(Arc::clone(&state), switch).await;
    let mut upkeep = JoinSet::new();
    upkeep.spawn(sweep::run(Arc::clone(&state), finish.clone()));
    upkeep.spawn(scrape::keep_up_to_date(Arc::clone(&state), finish.clone()));
    ready.cancel();
    tokio::select! {
        () = drain.run(signals) => {}
        () = finish.cancelled() => {}
        ended = part_ends(&mut sharing) => return Err(ServeError::part_ended(ended)),
        ended = part_ends(&mut upkeep), if !finish.is_cancelled() => return Err(ServeError::part_ended(ended)),
    }
    state.streams_end.cancel();
    over.cancel();
    tokio::select! {
        () = finish.cancelled() => {}
        ended = part_ends(&mut sharing) => return Err(ServeError::part_ended(ended)),
    }
    while upkeep.join_next().await.is_some() {}
    if let Some(shared) = state.sessions.sharing() {
        sharing::shut_down(shared, sharing, &stop_sharing).await;
    }
    Ok(())
}

/// Waits until a task ends before its time; for ever where there are none.
async fn part_ends(tasks: &mut JoinSet<()>) -> Option<JoinError> {
    match tasks.join_next().await {
        Some(ended) => ended.err(),
        None => std::future::pending().await,
    }
}
