//! The watchers of a pod: each gets the pod, a snapshot of its sessions, then what is published.

use std::iter::{from_fn, once};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{iter, unfold};
use futures_util::{Stream, StreamExt as _};
use parking_lot::Mutex;
use session_wire::v1::watch_sessions_response::{Event, Snapshot};
use session_wire::{MessageBudget, pod_to_wire, session_to_wire, v1};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tonic::Status;

use crate::service_state::ServiceState;
use crate::sessions::LiveSession;

/// The most messages that a watcher may be behind.
const BACKLOG: usize = 256;

/// Where watchers subscribe, until the end of the pod.
pub(crate) struct Watchers {
    sender: Mutex<Option<broadcast::Sender<Event>>>,
    has_new_watcher: AtomicBool,
}

impl Watchers {
    /// From now on the registry collects its changes: somebody has to publish them.
    pub(crate) fn new(state: &ServiceState) -> Arc<Self> {
        state.registry.begin_watching();
        let sender = Mutex::new(Some(broadcast::Sender::new(BACKLOG)));
        Arc::new(Self { sender, has_new_watcher: AtomicBool::new(false) })
    }

    /// The pod, a snapshot, then the changes.
    pub(super) fn watch(
        &self,
        state: &Arc<ServiceState>,
    ) -> impl Stream<Item = Result<v1::WatchSessionsResponse, Status>> + Send + 'static {
        // Subscribed before the snapshot is taken: what happens in between is sent twice rather than never.
        let changes = self.sender.lock().as_ref().map(broadcast::Sender::subscribe);
        self.has_new_watcher.store(true, Ordering::Release);
        let report = state.report(state.count_present(), changes.is_none());
        let opening = once(Event::Pod(pod_to_wire(&report))).chain(snapshot(Arc::clone(state)));
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

    /// Whether anybody watches.
    pub(super) fn any(&self) -> bool {
        self.sender.lock().as_ref().is_some_and(|sender| sender.receiver_count() > 0)
    }

    /// Whether a watcher has come since the last call.
    pub(super) fn take_has_new_watcher(&self) -> bool {
        self.has_new_watcher.swap(false, Ordering::AcqRel)
    }

    /// Sends an event to all watchers.
    pub(super) fn send(&self, event: Event) {
        if let Some(sender) = &*self.sender.lock() {
            // Fails where nobody watches.
            let _ = sender.send(event);
        }
    }

    /// Ends every watch.
    pub(super) fn close(&self) {
        self.sender.lock().take();
    }
}

/// The sessions held now. Each message is encoded when the watcher has taken the one before.
fn snapshot(state: Arc<ServiceState>) -> impl Iterator<Item = Event> {
    let mut sessions = Vec::new();
    // The end of a session may have been published already.
    state.registry.walk(|session| {
        if !session.has_ended() {
            sessions.push(Arc::clone(session));
        }
    });
    let mut sessions = sessions.into_iter().peekable();
    // The session that did not fit into the message before.
    let mut postponed: Option<v1::Session> = None;
    let mut end = false;
    from_fn(move || {
        if end {
            return None;
        }
        let encode = |session: LiveSession| {
            let view = state.view(&session);
            state.registry.reconcile_reported_presence(&session, view.present.unwrap_or_default());
            session_to_wire(&view)
        };
        // Without sessions, one empty message marks the end.
        let (mut part, mut budget) = (Vec::new(), MessageBudget::default());
        while let Some(session) = postponed.take().or_else(|| sessions.next().map(encode)) {
            if !budget.add_session(&session) {
                postponed = Some(session);
                break;
            }
            part.push(session);
        }
        end = postponed.is_none() && sessions.peek().is_none();
        Some(Event::Snapshot(Snapshot { sessions: part, end }))
    })
}
