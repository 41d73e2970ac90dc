//! Derives the health of the store from its answers, and decides what of them can be believed.

mod log;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::Timestamp;
use tokio::sync::watch;

use crate::store::{Contents, Epoch, StoreError};
use crate::store_health::{SETTLING, StoreHealth};

/// A partial outage is over once no operation has met it for this long.
const PARTIAL_OUTAGE_OVER_AFTER: Duration = Duration::from_secs(5);

/// Follows how the store answers.
#[derive(Debug)]
pub(super) struct HealthMonitor {
    health: watch::Sender<StoreHealth>,
    /// The contents that the pods have written, as far as this pod knows.
    epoch: Mutex<Option<Epoch>>,
    /// When an operation last met a part of the store that is unavailable, while that outage lasts.
    partial_outage: Mutex<Option<Timestamp>>,
    /// The contents under which the sessions that count as stored were written. `None` from when the store is known to have lost
    /// its data until every session counts as lost.
    stored_epoch: Mutex<Option<Epoch>>,
    /// How often the store recovered after it was unavailable or took no writes.
    recoveries: AtomicU64,
    /// Until when the store may be behind: another server may have taken its place while it was unavailable.
    behind_until: Mutex<Timestamp>,
    /// Until when the pods write again what the store has lost.
    lost_until: Mutex<Timestamp>,
    errors: AtomicU64,
    /// Whether it has ever taken a write.
    was_writable: AtomicBool,
    /// Whether it was logged that requests go to the app without their session, since the store recovered last.
    unresolved_is_logged: AtomicBool,
}

impl HealthMonitor {
    pub(super) fn new() -> Self {
        Self {
            health: watch::Sender::new(StoreHealth::Unknown),
            epoch: Mutex::default(),
            stored_epoch: Mutex::default(),
            partial_outage: Mutex::default(),
            recoveries: AtomicU64::new(0),
            behind_until: Mutex::default(),
            lost_until: Mutex::default(),
            errors: AtomicU64::new(0),
            was_writable: AtomicBool::new(false),
            unresolved_is_logged: AtomicBool::new(false),
        }
    }

    /// Records that a request goes to the app without its session, which is logged once an outage.
    pub(super) fn record_unresolved(&self) {
        if !self.unresolved_is_logged.swap(true, Ordering::Relaxed) {
            log::unresolved();
        }
    }

    /// Whether the store has ever taken a write.
    pub(super) fn was_writable(&self) -> bool {
        self.was_writable.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> StoreHealth {
        *self.health.borrow()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<StoreHealth> {
        self.health.subscribe()
    }

    /// The number of operations that failed.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// How often the store recovered after it was unavailable or took no writes. It may be behind after each.
    pub(super) fn recoveries(&self) -> u64 {
        self.recoveries.load(Ordering::Acquire)
    }

    /// Records the answer to a read and returns its value.
    pub(super) fn record_read<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        // A read says nothing about writes. No change as a rule: that takes no exclusive lock.
        self.record(answer, now, StoreHealth::is_readable)
    }

    /// Records the answer to a write and returns its value.
    pub(super) fn record_write<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        self.record(answer, now, StoreHealth::is_writable)
    }

    fn record<T>(
        &self,
        answer: Result<T, StoreError>,
        now: Timestamp,
        is_known_good: fn(StoreHealth) -> bool,
    ) -> Option<T> {
        match answer {
            Ok(value) => {
                if !is_known_good(self.now()) {
                    self.record_recovery(now);
                }
                Some(value)
            }
            Err(error) => {
                self.record_error(&error, now);
                None
            }
        }
    }

    /// Whether an entry that is absent under these contents does not exist. Starts to settle where the contents are not the
    /// known ones: the store has come back empty, and the pods have still to write their sessions.
    pub(super) fn believes_absence(&self, contents: Contents, now: Timestamp) -> bool {
        let known = *self.epoch.lock();
        if known.is_some() && contents.epoch != known {
            self.settle(now);
            return false;
        }
        let settled = matches!(self.now(), StoreHealth::Healthy { settling_until } if now >= settling_until);
        settled && !contents.settling && self.partial_outage.lock().is_none()
    }

    /// Whether the store has just lost its data: the pods write again what they hold, and repeat what they have ended.
    pub(super) fn has_lost_data(&self, contents: Contents, now: Timestamp) -> bool {
        let known = *self.epoch.lock();
        let is_other = known.is_some() && contents.epoch != known;
        is_other || contents.settling || now < *self.lost_until.lock()
    }

    /// The contents that the pods have written, as far as this pod knows.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        *self.epoch.lock()
    }

    /// Whether the store is known to have lost its data since the pod knew these contents. What it has acknowledged meanwhile may
    /// be lost.
    pub(super) fn was_lost_since(&self, epoch: Option<Epoch>) -> bool {
        epoch.is_some() && self.epoch() != epoch
    }

    /// The contents under which the sessions that count as stored were written. Taken before it is seen whether a session counts
    /// as stored.
    pub(super) fn stored_epoch(&self) -> Option<Epoch> {
        *self.stored_epoch.lock()
    }

    /// Records that each session that counts as stored was written under these contents.
    pub(super) fn record_stored_epoch(&self, epoch: Epoch) {
        *self.stored_epoch.lock() = Some(epoch);
    }

    /// Whether an entry that was written under the contents `stored`, and is absent under these, was ended: the store has not
    /// lost it.
    pub(super) fn was_ended_since(&self, stored: Option<Epoch>, contents: Contents, now: Timestamp) -> bool {
        stored.is_some() && stored == contents.epoch && !self.may_be_behind(now)
    }

    /// Whether a lease that is missing has run out: only where its pod could have renewed it.
    pub(super) fn believes_leases(&self, now: Timestamp) -> bool {
        let epoch = *self.epoch.lock();
        self.believes_absence(Contents { epoch, settling: false }, now)
    }

    /// Whether the data in the store may be older than what messages have said.
    pub(super) fn may_be_behind(&self, now: Timestamp) -> bool {
        now < *self.behind_until.lock()
    }

    /// Records the contents under which the lease was renewed. Returns whether they differ from those before: everything has
    /// to be written again then.
    pub(super) fn record_epoch(&self, epoch: Epoch, now: Timestamp) -> bool {
        let before = self.epoch.lock().replace(epoch);
        let lost = before.is_some_and(|before| before != epoch);
        if lost {
            *self.stored_epoch.lock() = None;
            *self.lost_until.lock() = now.plus(SETTLING);
            self.settle(now);
        }
        lost
    }

    /// Records that this many operations met a part of the store that is unavailable.
    pub(super) fn record_partial_outage(&self, operations: u64, reason: &str, now: Timestamp) {
        self.errors.fetch_add(operations, Ordering::Relaxed);
        if self.partial_outage.lock().replace(now).is_none() {
            log::partial_outage(reason);
        }
    }

    /// Records that no write waits for a part of the store that is unavailable.
    pub(super) fn record_no_retries(&self, now: Timestamp) {
        let mut outage = self.partial_outage.lock();
        if outage.is_some_and(|last_error| now >= last_error.plus(PARTIAL_OUTAGE_OVER_AFTER)) {
            *outage = None;
            log::partial_outage_over();
        }
    }

    fn settle(&self, now: Timestamp) {
        self.health.send_if_modified(|health| {
            let StoreHealth::Healthy { settling_until } = health else { return false };
            *settling_until = (*settling_until).max(now.plus(SETTLING));
            true
        });
    }

    /// Changes the health. Returns what it was before, where it changed.
    fn change(&self, to: impl FnOnce(StoreHealth) -> StoreHealth) -> Option<StoreHealth> {
        let mut changed_from = None;
        self.health.send_if_modified(|health| {
            let (before, after) = (*health, to(*health));
            *health = after;
            changed_from = (before != after).then_some(before);
            changed_from.is_some()
        });
        changed_from
    }

    fn record_recovery(&self, now: Timestamp) {
        self.was_writable.store(true, Ordering::Relaxed);
        let Some(before) = self.change(|health| health.after_success(now)) else { return };
        log::recovery(before);
        self.unresolved_is_logged.store(false, Ordering::Relaxed);
        if matches!(before, StoreHealth::Unavailable | StoreHealth::Unreadable) {
            *self.behind_until.lock() = now.plus(SETTLING);
        }
        if before != StoreHealth::Unknown {
            self.recoveries.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn record_error(&self, error: &StoreError, now: Timestamp) {
        if let StoreError::PartlyUnavailable(reason) = error {
            return self.record_partial_outage(1, reason, now);
        }
        self.errors.fetch_add(1, Ordering::Relaxed);
        let had_contact = self.epoch.lock().is_some();
        let changed = self.change(|health| health.after_error(error, had_contact)).is_some();
        if changed || matches!(error, StoreError::Refused(_)) {
            log::failure(error);
        }
    }
}
