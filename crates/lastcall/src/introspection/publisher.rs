//! Publishes what changes to all watchers. Each change is encoded once, whatever the number of watchers.
//!
//! Changes of sessions are published in the order in which they happened, a session at most once a second: [`ChangeFeed`] holds
//! those rules. The pod is published as soon as its phase changes, and within a quarter of a second where only a number did. A
//! watcher that falls behind is cut off and starts again with a snapshot.

use std::sync::Arc;
use std::time::Duration;

use session_domain::registry::{Change, ChangeFeed};
use session_domain::{PodReport, Timestamp};
use session_wire::v1::watch_sessions_response::{Changes, Event};
use session_wire::{MessageBudget, outcome_to_wire, pod_to_wire, session_to_wire};
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::watchers::Watchers;
use crate::event_streams::EventStreams;
use crate::service_state::ServiceState;

/// How often the state is compared with what was published.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);

/// A session is published at most once in this time.
const SESSION_INTERVAL: Duration = Duration::from_secs(1);

/// Present sessions are counted once in this many intervals: counting walks all sessions.
const INTERVALS_PER_COUNT: u32 = 4;

/// Publishes until `stop` is cancelled; then the last changes, the final pod, and the end of every watch.
pub(crate) async fn publish(state: Arc<ServiceState>, watchers: Arc<Watchers>, stop: CancellationToken) {
    let mut lifecycle = state.lifecycle.subscribe();
    let mut ticks = interval(PUBLISH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut publisher = Publisher::new(Arc::clone(&state), watchers);
    let mut tick = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = lifecycle.changed() => publisher.count_present(),
            _ = ticks.tick() => {
                tick = tick.wrapping_add(1);
                if tick.is_multiple_of(INTERVALS_PER_COUNT) {
                    publisher.count_present();
                }
            }
        }
        // What happened before a change of phase is published before it, as far as it is due.
        publisher.publish_changes();
        publisher.publish_pod();
    }
    publisher.finish().await;
}

/// What was published, and what is still to be published.
struct Publisher {
    state: Arc<ServiceState>,
    watchers: Arc<Watchers>,
    feed: ChangeFeed<EventStreams>,
    published_pod: Option<PodReport>,
    /// Sessions that were present when they were last counted.
    present: u64,
}

impl Publisher {
    fn new(state: Arc<ServiceState>, watchers: Arc<Watchers>) -> Self {
        let present = state.count_present();
        Self { state, watchers, feed: ChangeFeed::new(SESSION_INTERVAL), published_pod: None, present }
    }

    /// Counts the present sessions, and queues those whose presence has changed.
    fn count_present(&mut self) {
        self.present = self.state.registry.queue_presence_changes(self.state.clock.now());
    }

    fn publish_pod(&mut self) {
        // A new watcher may know a newer state than the one published last.
        let has_new_watcher = self.watchers.take_has_new_watcher();
        let report = self.state.report(self.present, false);
        if has_new_watcher || self.published_pod.as_ref() != Some(&report) {
            self.watchers.send(Event::Pod(pod_to_wire(&report)));
            self.published_pod = Some(report);
        }
    }

    /// Publishes the changes that are due. Returns when the next one is due, where any waits.
    fn publish_changes(&mut self) -> Option<Timestamp> {
        self.feed.extend(self.state.registry.take_changes());
        let due = self.feed.take_due(self.state.clock.now());
        self.send_changes(due);
        self.feed.next_due()
    }

    /// Publishes the remaining changes, the final pod, and the end. Where there is a watcher, waits for changes that are not due:
    /// what happened until now is due within [`SESSION_INTERVAL`].
    async fn finish(mut self) {
        let end = self.state.clock.now().plus(SESSION_INTERVAL);
        while let Some(due) = self.publish_changes()
            && due <= end
            && self.watchers.any()
        {
            sleep_until(self.state.clock.instant_of(due)).await;
        }
        let last = self.state.report(self.state.count_present(), true);
        self.watchers.send(Event::Pod(pod_to_wire(&last)));
        self.watchers.close();
    }

    /// Sends changes in as many messages as they need.
    fn send_changes(&self, changes: Vec<Change<EventStreams>>) {
        let (mut message, mut budget) = (Changes::default(), MessageBudget::default());
        let send_if = |is_full: bool, message: &mut Changes| {
            if is_full {
                self.watchers.send(Event::Changes(std::mem::take(message)));
            }
        };
        for change in changes {
            match change {
                Change::Updated(session) => {
                    let view = self.state.view(&session);
                    session.mark_reported_present(view.present.unwrap_or_default());
                    let session = session_to_wire(&view);
                    send_if(!budget.add_session(&session), &mut message);
                    message.upserts.push(session);
                }
                Change::Removed(id, outcome) => {
                    let id = id.to_string();
                    send_if(!budget.add_removal(&id), &mut message);
                    message.removals.push(id);
                    message.outcomes.push(outcome_to_wire(outcome).into());
                }
            }
        }
        if message != Changes::default() {
            self.watchers.send(Event::Changes(message));
        }
    }
}

#[cfg(test)]
mod tests;
