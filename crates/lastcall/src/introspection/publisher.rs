//! One task tells all watchers what has changed: each change is encoded once, whatever the number of watchers.
//!
//! Changes of sessions are told in the order in which they happened, a session at most once a second (the rules are
//! [`ChangeFeed`]'s); the pod is told as soon as its phase changes and within a quarter of a second where only a number did.
//! A watcher that falls behind is cut off and starts again with a snapshot.

use std::iter::{from_fn, once};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{iter, unfold};
use futures_util::{Stream, StreamExt as _};
use session_domain::PodReport;
use session_domain::registry::{Change, ChangeFeed};
use session_wire::v1::watch_sessions_response::{Changes, Event, Snapshot};
use session_wire::{outcome_to_wire, pod_to_wire, session_to_wire, v1};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::service_state::ServiceState;
use crate::streams::Streams;

/// Sessions in one message at the most.
const BATCH: usize = 1_000;

/// Messages that a watcher may be behind.
const BACKLOG: usize = 256;

/// How often what is told is compared with what is.
const TICK: Duration = Duration::from_millis(250);

/// A session is told at most once in this time.
const SESSION_INTERVAL: Duration = Duration::from_secs(1);

/// Who is present is counted anew once in so many ticks: that walks all sessions.
const TICKS_A_COUNT: u32 = 4;

/// Where watchers subscribe. After the last word there is nothing to subscribe to any more.
pub(crate) struct Publisher {
    sender: Mutex<Option<broadcast::Sender<Event>>>,
    /// Whether a watcher has come since the pod was told last: it may know a newer state than that. All are told the next
    /// state then, whether or not it is the one that was told before.
    has_newcomer: AtomicBool,
}

impl Publisher {
    pub(crate) fn new() -> Arc<Self> {
        let sender = Mutex::new(Some(broadcast::Sender::new(BACKLOG)));
        Arc::new(Self { sender, has_newcomer: AtomicBool::new(false) })
    }

    /// The pod, a snapshot, then the changes.
    pub(super) fn watch(
        &self,
        state: &Arc<ServiceState>,
    ) -> impl Stream<Item = Result<v1::WatchSessionsResponse, Status>> + Send + 'static {
        // Subscribed before the snapshot is taken: what happens in between is told twice rather than never.
        let changes = self.lock().as_ref().map(broadcast::Sender::subscribe);
        self.has_newcomer.store(true, Ordering::Release);
        let report = state.report(state.count_present(), changes.is_none());
        let pod_now = Event::Pod(pod_to_wire(&report));
        let opening = once(pod_now).chain(snapshot(Arc::clone(state)));
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
pub(crate) async fn publish(state: Arc<ServiceState>, publisher: Arc<Publisher>, stop: CancellationToken) {
    let mut lifecycle = state.lifecycle.subscribe();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut telling = Telling::new(Arc::clone(&state), publisher);
    let mut tick = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = lifecycle.changed() => telling.queue_presence_changes(),
            _ = ticks.tick() => {
                tick = tick.wrapping_add(1);
                if tick.is_multiple_of(TICKS_A_COUNT) {
                    telling.queue_presence_changes();
                }
            }
        }
        // What happened before a change of phase is told before it, as far as it is due.
        telling.changes();
        telling.pod();
    }
    telling.last_word();
}

/// What has been told, and what is still to be told.
struct Telling {
    state: Arc<ServiceState>,
    publisher: Arc<Publisher>,
    feed: ChangeFeed<Streams>,
    told: Option<PodReport>,
    /// Sessions that were present when they were counted last.
    present: u64,
}

impl Telling {
    fn new(state: Arc<ServiceState>, publisher: Arc<Publisher>) -> Self {
        let present = state.count_present();
        Self { state, publisher, feed: ChangeFeed::new(SESSION_INTERVAL), told: None, present }
    }

    fn queue_presence_changes(&mut self) {
        self.present = self.state.registry.queue_presence_changes(self.state.clock.now());
    }

    fn pod(&mut self) {
        let has_newcomer = self.publisher.has_newcomer.swap(false, Ordering::AcqRel);
        let report = self.state.report(self.present, false);
        if has_newcomer || self.told.as_ref() != Some(&report) {
            self.publisher.send(Event::Pod(pod_to_wire(&report)));
            self.told = Some(report);
        }
    }

    fn changes(&mut self) {
        self.feed.extend(self.state.registry.take_changes());
        let due = self.feed.take_due(self.state.clock.now());
        self.send(due);
    }

    fn last_word(mut self) {
        self.feed.extend(self.state.registry.take_changes());
        let rest = self.feed.take_rest();
        self.send(rest);
        let last = self.state.report(self.state.count_present(), true);
        self.publisher.send(Event::Pod(pod_to_wire(&last)));
        self.publisher.close();
    }

    fn send(&self, changes: Vec<Change<Streams>>) {
        for part in parts(changes) {
            let mut message = Changes::default();
            for change in part {
                match change {
                    Change::Updated(session) => {
                        let view = self.state.view(&session);
                        session.mark_reported_present(view.present.unwrap_or_default());
                        message.upserts.push(session_to_wire(&view));
                    }
                    Change::Removed(id, outcome) => {
                        message.removals.push(id.to_string());
                        message.outcomes.push(outcome_to_wire(outcome).into());
                    }
                }
            }
            self.publisher.send(Event::Changes(message));
        }
    }
}

/// What is held now, each part encoded when the watcher has taken the one before.
fn snapshot(state: Arc<ServiceState>) -> impl Iterator<Item = Event> {
    let mut sessions = Vec::new();
    // That one has ended may have been told already.
    state.registry.walk(|session| {
        if !session.has_ended() {
            sessions.push(Arc::clone(session));
        }
    });
    let mut parts = parts(sessions).peekable();
    let mut end = false;
    from_fn(move || {
        if end {
            return None;
        }
        // Where there are no sessions one empty part says so.
        let part = parts.next().unwrap_or_default();
        end = parts.peek().is_none();
        let tell = |session| {
            let view = state.view(session);
            state.registry.reconcile_reported_presence(session, view.present.unwrap_or_default());
            session_to_wire(&view)
        };
        let sessions = part.iter().map(tell).collect();
        Some(Event::Snapshot(Snapshot { sessions, end }))
    })
}

/// Cuts into parts that fit into a message.
fn parts<T>(items: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter().peekable();
    from_fn(move || items.peek().is_some().then(|| items.by_ref().take(BATCH).collect()))
}
