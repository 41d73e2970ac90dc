//! What follows from the outcome of a write.

use session_domain::SessionId;
use session_domain::registry::OwnershipMark;
use tracing::warn;

use super::super::Sharing;
use super::queue::{MAX_PENDING, PendingWrite};
use super::{REPEAT_AFTER, Writer};
use crate::store::{Lookup, Message, OwnerRequest, WriteOutcome};

impl Writer {
    /// Acts on the outcome of a write of the session `id`. `mark` was taken before the write.
    pub(super) async fn settle(
        &mut self,
        id: SessionId,
        write: &PendingWrite,
        mark: Option<OwnershipMark>,
        outcome: &WriteOutcome,
    ) {
        if let WriteOutcome::Refused(reason) = outcome
            && self.refused.len() < MAX_PENDING
            && self.refused.insert(id)
        {
            warn!(session.id = %id, reason, "the session store cannot keep this session: the key holds something else");
        }
        match (write, outcome) {
            // A login has given the session another id meanwhile: the outcome is not about that one.
            (PendingWrite::Put(session), _) if session.id() != id => {}
            (PendingWrite::Put(session), WriteOutcome::Done) => session.mark_stored(id),
            // A store that is behind may name an earlier owner: the sweep finds out.
            (PendingWrite::Put(_), WriteOutcome::NotOwner)
                if self.sharing.health.may_be_behind(self.sharing.clock.now()) =>
            {
                self.sharing.sweep_all.notify_one();
            }
            (PendingWrite::Put(session), WriteOutcome::NotOwner) => {
                if self.sharing.end_as_moved(session, mark).is_err() {
                    self.sharing.sweep_all.notify_one();
                }
            }
            (PendingWrite::Put(session), WriteOutcome::Missing) => self.sharing.record_missing(session),
            (
                PendingWrite::Put(_),
                WriteOutcome::Refused(_) | WriteOutcome::Unavailable | WriteOutcome::Requested(_),
            ) => {}
            (PendingWrite::End { automatic }, WriteOutcome::NotOwner) => {
                let request = OwnerRequest::End { automatic: *automatic };
                self.queue.restore(id, PendingWrite::Request(request));
            }
            (PendingWrite::Request(request @ OwnerRequest::End { automatic }), WriteOutcome::Done) => {
                notify_owner(&self.sharing, id, *request).await;
                self.record_end(id, *automatic, PendingWrite::End { automatic: *automatic });
            }
            (PendingWrite::Request(request @ OwnerRequest::Rename(_)), outcome) => {
                if *outcome == WriteOutcome::Done {
                    notify_owner(&self.sharing, id, *request).await;
                }
                self.sharing.registry.remove_tombstone(id);
            }
            (PendingWrite::End { automatic } | PendingWrite::Request(OwnerRequest::End { automatic }), _) => {
                self.record_end(id, *automatic, PendingWrite::End { automatic: *automatic });
            }
            (PendingWrite::Delete, _) => self.record_end(id, false, PendingWrite::Delete),
        }
    }

    /// Records that the store has taken an end. Repeats it where the store has just returned: what the store was sent before it
    /// fell silent it may execute only now, and a pod that holds the session may write it again.
    fn record_end(&mut self, id: SessionId, automatic: bool, end: PendingWrite) {
        let now = self.sharing.clock.now();
        self.queue.record_end(id, automatic, now);
        if self.sharing.health.believes_leases(now) {
            self.sharing.registry.remove_tombstone(id);
        } else {
            self.queue.repeat_at(now.plus(REPEAT_AFTER), id, end);
        }
    }
}

/// Tells the owner of a session that there is a request in its entry.
async fn notify_owner(sharing: &Sharing, id: SessionId, request: OwnerRequest) {
    let answer = sharing.store.lookup_many(vec![id]).await;
    let Some(answer) = sharing.health.record_read(answer, sharing.clock.now()) else { return };
    if let Some(Lookup::Found(found)) = answer.lookups.into_iter().next() {
        sharing.send(&found.pod, &Message::Requested(id, request)).await;
    }
}
