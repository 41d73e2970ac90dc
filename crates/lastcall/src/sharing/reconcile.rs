//! Compares the pod's sessions with the store: adopted by other pods, requested to end there, or lost.
//!
//! Messages say at once which sessions to look up. A slow sweep over all sessions finds what a message that was never sent
//! would have said.

mod apply;
mod guests;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use apply::Question;
use guests::GuestWatch;
use session_domain::SessionId;
use session_domain::registry::OwnershipMark;
use sweep::Sweep;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Sharing;
use super::hints::Hint;
use crate::sessions::live::LiveSession;
use crate::store::{Epoch, Lookups};

/// How often sessions are compared with the store.
const RECONCILE_INTERVAL: Duration = Duration::from_millis(500);

/// Sessions that are looked up together.
const LOOKUP_BATCH: usize = 1_000;

/// A session that this pod holds when the store is asked about it.
struct Held {
    session: LiveSession,
    mark: Option<OwnershipMark>,
    stored_epoch: Option<Epoch>,
}

impl Held {
    fn find(sharing: &Sharing, id: SessionId) -> Option<Self> {
        let session = sharing.registry.get(id)?;
        let (mark, stored_epoch) = (session.ownership_mark(), sharing.stored_epoch_of(&session));
        Some(Self { session, mark, stored_epoch })
    }
}

/// Compares until `stop` is cancelled.
pub(super) async fn run(sharing: Arc<Sharing>, stop: CancellationToken) {
    let mut ticks = interval(RECONCILE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweep = Sweep::default();
    let mut guests = GuestWatch::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sharing.sweep_all.notified() => sweep.all(&sharing).await,
            _ = ticks.tick() => {
                if sharing.health().is_readable() {
                    settle_missing(&sharing).await;
                    sweep.next(&sharing).await;
                    guests.compare(&sharing).await;
                }
            }
        }
    }
}

/// Acts on the messages that came in before the lease was released.
pub(super) async fn apply_unread(sharing: &Arc<Sharing>) {
    let mut hints = sharing.unread_hints().await.unwrap_or_default();
    hints.retain(|_, hint| *hint != Hint::Active);
    reconcile(sharing, &hints).await;
}

/// Compares these sessions, and those that unread messages are about. The messages stay unread.
pub(super) async fn reconcile_sessions(sharing: &Arc<Sharing>, ids: HashSet<SessionId>) {
    let mut hints = sharing.unread_hints().await.unwrap_or_default();
    for id in ids {
        hints.entry(id).or_insert(Hint::None);
    }
    reconcile(sharing, &hints).await;
}

/// Decides about the sessions that the store should have and does not.
async fn settle_missing(sharing: &Sharing) {
    let missing = sharing.take_missing();
    if missing.is_empty() {
        return;
    }
    match sharing.unread_hints().await {
        // A pod that adopts sends a message at once: what is missing without a message is lost. A message that is unread is
        // acted on by its reader. A session that has another id by now is not the one that was missing.
        Some(unread) => missing
            .iter()
            .filter(|(id, session)| !unread.contains_key(id) && session.id() == **id && session.is_stored())
            .for_each(|(_, session)| sharing.rewrite_lost(session)),
        None => missing.values().for_each(|session| sharing.record_missing(session)),
    }
}

/// Looks up these sessions and acts on the answers. Returns those that could not be looked up, or not be acted on.
pub(super) async fn reconcile(sharing: &Arc<Sharing>, hints: &HashMap<SessionId, Hint>) -> HashMap<SessionId, Hint> {
    let mut pending = HashMap::new();
    let all: Vec<_> = hints.iter().map(|(id, hint)| (*id, *hint)).collect();
    for batch in all.chunks(LOOKUP_BATCH) {
        let asked = sharing.clock.now();
        // Noted before the store is asked: what it says is about the owner at that time.
        let held: Vec<_> = batch.iter().map(|(id, _)| Held::find(sharing, *id)).collect();
        let ids = batch.iter().map(|(id, _)| *id).collect();
        let answer = sharing.health.record_read(sharing.store.lookup_many(ids).await, sharing.clock.now());
        let Some(Lookups { lookups, contents }) = answer else {
            pending.extend(batch.iter().copied());
            continue;
        };
        let now = sharing.clock.now();
        let believes_absence = contents.is_some_and(|contents| sharing.health.believes_absence(contents, now));
        let has_lost_data = contents.is_some_and(|contents| sharing.health.has_lost_data(contents, now));
        for (((id, hint), held), lookup) in batch.iter().copied().zip(held).zip(lookups) {
            // Checked before the registry: a session that is being adopted is not in the registry yet, and the message may be
            // about what comes after its adoption.
            let is_being_adopted = sharing.adoptions.is_in_progress(id);
            let is_done = match (held, sharing.registry.get(id)) {
                // It has another id since the lookup: the answer is not about it.
                (_, Some(session)) if session.id() != id => true,
                (Some(Held { session, mark, stored_epoch }), Some(held)) if Arc::ptr_eq(&session, &held) => {
                    let was_ended = |contents| sharing.health.was_ended_since(stored_epoch, contents, now);
                    let is_lost = has_lost_data && !contents.is_some_and(was_ended);
                    let question = Question { id, asked, mark, hint, believes_absence, is_lost };
                    apply::own(sharing, &session, question, lookup).await
                }
                // This pod has taken it meanwhile.
                (_, Some(_)) => false,
                (_, None) if is_being_adopted => false,
                (_, None) => apply::not_held(sharing, id, hint, &lookup).await,
            };
            if !is_done {
                pending.insert(id, hint);
            }
        }
    }
    pending
}
