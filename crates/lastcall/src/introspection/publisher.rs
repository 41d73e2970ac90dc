//! One task tells all watchers what has changed: each change is encoded once, whatever the number of watchers.
//!
//! A session's changes are gathered for a second; the pod is told as soon as its phase changes and within a quarter
//! of a second where only a number did. A watcher that falls behind is cut off and starts again with a snapshot.

use std::iter::{from_fn, once};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{iter, unfold};
use futures_util::{Stream, StreamExt as _};
use session_domain::PodReport;
use session_domain::registry::Change;
use session_wire::v1::watch_sessions_response::{Changes, Event, Snapshot};
use session_wire::{outcome_to_wire, pod_to_wire, session_to_wire, v1};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::pod::Pod;

/// Sessions in one message at the most.
const BATCH: usize = 1_000;

/// Messages that a watcher may be behind.
const BACKLOG: usize = 256;

/// How often the pod's numbers are compared with what was told last.
const POD_TICK: Duration = Duration::from_millis(250);

/// A session is told at most once in so many ticks: once a second.
const TICKS_A_SESSION: u32 = 4;

/// Where watchers subscribe. After the last word there is nothing to subscribe to any more.
pub(crate) struct Publisher {
    sender: Mutex<Option<broadcast::Sender<Event>>>,
}

impl Publisher {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { sender: Mutex::new(Some(broadcast::Sender::new(BACKLOG))) })
    }

    /// The pod, a snapshot, then the changes.
    pub(super) fn watch(
        &self,
        pod: &Arc<Pod>,
    ) -> impl Stream<Item = Result<v1::WatchSessionsResponse, Status>> + Send + 'static {
        // Subscribed before the snapshot is taken: what happens in between is told twice rather than never.
        let changes = self.lock().as_ref().map(broadcast::Sender::subscribe);
        let pod_now = Event::Pod(pod_to_wire(&pod.report(changes.is_none())));
        let opening = once(pod_now).chain(snapshot(Arc::clone(pod)));
        let changes = unfold(changes, |changes| async {
            let mut changes = changes?;
            match changes.recv().await {
                Ok(event) => Some((Ok(event), Some(changes))),
                Err(RecvError::Closed) => None,
                Err(RecvError::Lagged(_)) => {
                    let status = Status::resource_exhausted("fell behind: watch again, a snapshot comes first");
                    Some((Err(status), None))
                }
            }
        });
        iter(opening.map(Ok))
            .chain(changes)
            .map(|event| event.map(|event| v1::WatchSessionsResponse { event: Some(event) }))
    }

    fn send(&self, event: Event) {
        if let Some(sender) = &*self.lock() {
            // Nobody watching is nothing to complain about.
            let _ = sender.send(event);
        }
    }

    fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<broadcast::Sender<Event>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what changes, until `stop` is cancelled; then the last changes, the pod's last word, and the end.
pub(crate) async fn publish(pod: Arc<Pod>, publisher: Arc<Publisher>, stop: CancellationToken) {
    let mut lifecycle = pod.lifecycle.subscribe();
    let mut ticks = interval(POD_TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    let mut tick = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            // What happened before belongs before.
            _ = lifecycle.changed() => tell_changes(&pod, &publisher),
            _ = ticks.tick() => {
                tick = tick.wrapping_add(1);
                if tick.is_multiple_of(TICKS_A_SESSION) {
                    tell_changes(&pod, &publisher);
                }
            }
        }
        tell_pod(&pod, &publisher, &mut told);
    }
    tell_changes(&pod, &publisher);
    publisher.send(Event::Pod(pod_to_wire(&pod.report(true))));
    publisher.close();
}

fn tell_pod(pod: &Pod, publisher: &Publisher, told: &mut Option<PodReport>) {
    let report = pod.report(false);
    if told.as_ref() != Some(&report) {
        publisher.send(Event::Pod(pod_to_wire(&report)));
        *told = Some(report);
    }
}

fn tell_changes(pod: &Pod, publisher: &Publisher) {
    let (mut upserts, mut removals) = (Vec::new(), Vec::new());
    for change in pod.registry.take_changes() {
        match change {
            Change::Updated(session) => upserts.push(session_to_wire(&pod.view(&session))),
            Change::Removed(id, outcome) => removals.push((id.to_string(), i32::from(outcome_to_wire(outcome)))),
        }
    }
    // Removals apply after upserts, and come after them.
    for upserts in parts(upserts) {
        publisher.send(Event::Changes(Changes { upserts, ..Changes::default() }));
    }
    for removals in parts(removals) {
        let (removals, outcomes) = removals.into_iter().unzip();
        publisher.send(Event::Changes(Changes { upserts: vec![], removals, outcomes }));
    }
}

/// What is held now, each part encoded when the watcher has taken the one before.
fn snapshot(pod: Arc<Pod>) -> impl Iterator<Item = Event> {
    let mut sessions = Vec::new();
    pod.registry.walk(|session| sessions.push(Arc::clone(session)));
    let mut parts = parts(sessions).peekable();
    let mut end = false;
    from_fn(move || {
        if end {
            return None;
        }
        // Where there are no sessions one empty part says so.
        let part = parts.next().unwrap_or_default();
        end = parts.peek().is_none();
        let sessions = part.iter().map(|session| session_to_wire(&pod.view(session))).collect();
        Some(Event::Snapshot(Snapshot { sessions, end }))
    })
}

/// Cuts into parts that fit into a message.
fn parts<T>(items: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter().peekable();
    from_fn(move || items.peek().is_some().then(|| items.by_ref().take(BATCH).collect()))
}
