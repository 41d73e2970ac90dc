//! The one task that writes. All writes go through it in turn, so that none overtakes a later one, and what changes often is
//! written once: the newest state of each session.

mod claims;
mod queue;
mod settle;
mod touches;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use queue::{PendingWrite, WriteQueue};
use session_domain::registry::Change;
use session_domain::{Outcome, SessionId};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Sharing;
use super::writer_request::WriterRequest;
use crate::store::{OwnerRequest, Write, WriteOutcome};

/// How often changes are written for which no caller waits.
const WRITE_BEHIND_INTERVAL: Duration = Duration::from_millis(250);

/// Writes that are sent together.
const BATCH: usize = 500;

/// Writes that met a part of the store that is unavailable are retried after this time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Ends are written once more after this time, while the store settles.
const REPEAT_AFTER: Duration = Duration::from_millis(500);

struct Writer {
    sharing: Arc<Sharing>,
    queue: WriteQueue,
    /// Sessions that the store refused. Each is logged once.
    refused: HashSet<SessionId>,
}

/// Writes until `stop` is cancelled, then once more, and answers every caller that asked meanwhile.
pub(super) async fn run(
    sharing: Arc<Sharing>,
    mut requests: mpsc::UnboundedReceiver<WriterRequest>,
    stop: CancellationToken,
) {
    let mut ticks = interval(WRITE_BEHIND_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut writer = Writer { sharing: Arc::clone(&sharing), queue: WriteQueue::default(), refused: HashSet::new() };
    let mut is_stopping = false;
    while !is_stopping || (writer.queue.pending_ends() > 0 && sharing.may_wait_at_shutdown()) {
        if is_stopping {
            sharing.probe().await;
        }
        let mut pending = Vec::new();
        tokio::select! {
            () = stop.cancelled(), if !is_stopping => is_stopping = true,
            request = requests.recv() => pending.extend(request),
            () = sharing.rewrite_ends.notified() => writer.queue_recent_ends(),
            _ = ticks.tick() => {}
        }
        while let Ok(request) = requests.try_recv() {
            pending.push(request);
        }
        writer.serve(pending).await;
    }
    if !writer.queue.is_empty() {
        warn!(
            sessions.unwritten = writer.queue.len(),
            sessions.ended = writer.queue.pending_ends(),
            "the session store did not accept every change before shutdown: sessions that ended here may continue on other pods"
        );
    }
}

impl Writer {
    /// Performs claims first: a session whose end is claimed needs no other write, and its user waits. Then writes what is
    /// pending and answers those that wait for it.
    async fn serve(&mut self, requests: Vec<WriterRequest>) {
        let (mut claims, mut flushes) = (Vec::new(), Vec::new());
        for request in requests {
            match request {
                WriterRequest::Claim(claim) => claims.push(claim),
                WriterRequest::Flush(done) => flushes.push(done),
            }
        }
        claims::perform(&self.sharing, claims).await;
        self.collect();
        self.flush().await;
        for done in flushes {
            // A caller that has given up waiting needs no answer.
            let _ = done.send(());
        }
    }

    /// Queues recent ends again: the store may have gone back to a state before them.
    fn queue_recent_ends(&mut self) {
        for end in self.queue.take_recent_ends() {
            self.sharing.registry.add_tombstone(end.id);
            self.queue.restore(end.id, PendingWrite::End { automatic: end.automatic });
        }
    }

    /// Queues what has changed.
    fn collect(&mut self) {
        self.queue.queue_due(self.sharing.clock.now(), BATCH);
        for (id, request) in self.sharing.outbox.take_requests() {
            match request {
                OwnerRequest::End { automatic } => self.end(id, PendingWrite::End { automatic }),
                OwnerRequest::Rename(_) => self.end(id, PendingWrite::Request(request)),
            }
        }
        for change in self.sharing.registry.take_pending_writes() {
            match change {
                Change::Updated(session) => self.queue.put(session),
                // Released before, with an acknowledgement, or another pod's by now.
                Change::Removed(_, Some(Outcome::Moved)) => {}
                Change::Removed(id, None | Some(Outcome::Logout | Outcome::AutoLogout)) => {
                    self.end(id, PendingWrite::End { automatic: false });
                }
                // Released, though the store has not acknowledged it: the next pod may have it.
                Change::Removed(_, Some(Outcome::Forced | Outcome::Expired)) if self.sharing.releases_at_shutdown() => {
                }
                Change::Removed(id, Some(Outcome::Forced | Outcome::Expired)) => self.end(id, PendingWrite::Delete),
            }
        }
    }

    fn end(&mut self, id: SessionId, write: PendingWrite) {
        if !self.queue.end(id, write) {
            self.sharing.registry.remove_tombstone(id);
        }
    }

    /// Writes all that is pending, until the store fails.
    async fn flush(&mut self) {
        let sharing = Arc::clone(&self.sharing);
        if sharing.health().is_writable() {
            sharing.send_queued().await;
            touches::write(&sharing).await;
        }
        let mut retries = 0;
        while sharing.health().is_writable() && !self.queue.is_empty() {
            retries += self.write_batch().await;
        }
        match retries {
            0 if !self.queue.has_retries() => sharing.health.record_no_retries(sharing.clock.now()),
            0 => {}
            _ => sharing.health.record_partial_outage(retries, "it does not take every write", sharing.clock.now()),
        }
        self.queue.record_flushed();
    }

    /// Writes one batch. Returns how many of its writes met a part of the store that is unavailable.
    async fn write_batch(&mut self) -> u64 {
        let sharing = Arc::clone(&self.sharing);
        let (writes, batch): (Vec<_>, Vec<_>) = self
            .queue
            .take_batch(BATCH)
            .into_iter()
            .filter_map(|(id, pending)| Some((self.as_write(id, &pending)?, (id, pending))))
            .map(|(write, (id, pending))| {
                let written_id = if let Write::Put { session, .. } = &write { session.id } else { id };
                let mark = if let PendingWrite::Put(session) = &pending { session.ownership_mark() } else { None };
                (write, (id, written_id, mark, pending))
            })
            .unzip();
        let epoch = sharing.health.epoch();
        let Some(outcomes) = sharing.health.record_write(sharing.store.write(writes).await, sharing.clock.now()) else {
            batch.into_iter().for_each(|(id, .., pending)| self.queue.restore(id, pending));
            return 0;
        };
        let was_lost = sharing.health.was_lost_since(epoch);
        let mut retries = 0;
        for ((id, written_id, mark, pending), outcome) in batch.into_iter().zip(outcomes) {
            if outcome == WriteOutcome::Unavailable {
                retries += 1;
                self.queue.retry_at(sharing.clock.now().plus(RETRY_AFTER), id, pending);
            } else if was_lost && outcome == WriteOutcome::Done && matches!(pending, PendingWrite::Put(_)) {
                // The store may have lost it since. Every session is written again.
            } else {
                self.settle(written_id, &pending, mark, &outcome).await;
            }
        }
        retries
    }

    /// The write for the store. `None` for a session that has ended meanwhile: its end is pending as well.
    fn as_write(&self, id: SessionId, pending: &PendingWrite) -> Option<Write> {
        let pod = self.sharing.config.pod.clone();
        match pending {
            PendingWrite::Put(session) if session.has_ended() => None,
            PendingWrite::Put(session) => {
                let shared = self.sharing.shared_session(session);
                let idle = self.sharing.clock.now().since(shared.last_activity);
                Some(Write::Put { session: shared, idle, new: !session.is_stored() })
            }
            PendingWrite::End { .. } | PendingWrite::Delete => {
                let replaced_for = self.sharing.registry.remaining_replaced_ttl(id, self.sharing.clock.now());
                Some(Write::Delete { id, pod, replaced_for })
            }
            PendingWrite::Request(request) => Some(Write::Request { id, request: *request }),
        }
    }
}
