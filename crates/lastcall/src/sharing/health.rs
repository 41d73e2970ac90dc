//! What is known of the store's health, and what the log says when that changes. Reaching the store, reading it and writing
//! to it are three things: a replica or a server out of memory is reached and read, and takes no writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use session_domain::Timestamp;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::store::{Contents, Epoch, StoreError};

/// What a store says is doubted for so long after it was lost, came back empty or behind, or took no writes: the pods write
/// what they hold meanwhile.
pub(super) const SETTLING: Duration = Duration::from_secs(10);

/// A part of the store that was away is there again once nothing was missing for so long.
const PARTIAL_OUTAGE_OVER: Duration = Duration::from_secs(5);

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreHealth {
    /// It has not answered yet.
    Unknown,
    /// It refuses the login.
    LoginRefused {
        /// Whether it has accepted one before.
        had_contact: bool,
    },
    /// It cannot be reached, or does not answer.
    Away,
    /// It answers, and cannot be read.
    Unreadable,
    /// It can be read and takes no writes.
    ReadOnly,
    /// It can be read and written.
    Healthy {
        /// Until when an absent entry means nothing: other pods may not have written what they hold yet.
        settling_until: Timestamp,
    },
}

impl StoreHealth {
    /// Whether it answers.
    pub(crate) const fn is_reachable(self) -> bool {
        matches!(self, Self::Unreadable | Self::ReadOnly | Self::Healthy { .. })
    }

    /// Whether it can be read.
    pub(crate) const fn is_readable(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Healthy { .. })
    }

    /// Whether it can be written.
    pub(crate) const fn is_writable(self) -> bool {
        matches!(self, Self::Healthy { .. })
    }
}

/// Watches how the store answers.
#[derive(Debug)]
pub(super) struct HealthMonitor {
    health: watch::Sender<StoreHealth>,
    /// The contents that the pods have written, as far as is known.
    epoch: Mutex<Option<Epoch>>,
    partial_outage: Mutex<Option<PartialOutage>>,
    /// How often it came back after it was away, or took no writes.
    returns: AtomicU64,
    /// Until when it may be behind: another server may have taken its place while it was away.
    behind_until: Mutex<Timestamp>,
    errors: AtomicU64,
    /// Whether it has ever taken a write.
    was_writable: AtomicBool,
}

/// A part of the store is away.
#[derive(Clone, Copy, Debug)]
struct PartialOutage {
    last_error: Timestamp,
}

impl HealthMonitor {
    pub(super) fn new() -> Self {
        Self {
            health: watch::Sender::new(StoreHealth::Unknown),
            epoch: Mutex::default(),
            partial_outage: Mutex::default(),
            returns: AtomicU64::new(0),
            behind_until: Mutex::default(),
            errors: AtomicU64::new(0),
            was_writable: AtomicBool::new(false),
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

    /// Operations that failed.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// How often it came back after it was away, or took no writes: it may be behind.
    pub(super) fn returns(&self) -> u64 {
        self.returns.load(Ordering::Acquire)
    }

    /// Gives what the store answered to a read, and notes how it is.
    pub(super) fn read<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        self.note(answer, now, Self::answered)
    }

    /// Gives what the store answered to a write, and notes how it is.
    pub(super) fn written<T>(&self, answer: Result<T, StoreError>, now: Timestamp) -> Option<T> {
        self.note(answer, now, Self::took_a_write)
    }

    fn note<T>(&self, answer: Result<T, StoreError>, now: Timestamp, succeeded: fn(&Self, Timestamp)) -> Option<T> {
        match answer {
            Ok(value) => {
                succeeded(self, now);
                Some(value)
            }
            Err(error) => {
                self.failed(&error, now);
                None
            }
        }
    }

    /// Whether an entry that is absent under these contents does not exist. Notes where the contents are not the known ones:
    /// the store has come back empty, and what the pods hold has still to be written.
    pub(super) fn believes_absence(&self, contents: Contents, now: Timestamp) -> bool {
        let known = *lock(&self.epoch);
        if known.is_some() && contents.epoch != known {
            self.settle(now);
            return false;
        }
        let settled = matches!(self.now(), StoreHealth::Healthy { settling_until } if now >= settling_until);
        settled && !contents.settling && lock(&self.partial_outage).is_none()
    }

    /// Whether a lease that is missing has run out: only where its pod could have renewed it.
    pub(super) fn believes_leases(&self, now: Timestamp) -> bool {
        let epoch = *lock(&self.epoch);
        self.believes_absence(Contents { epoch, settling: false }, now)
    }

    /// Whether what the store says may be older than what a pod has been told.
    pub(super) fn may_be_behind(&self, now: Timestamp) -> bool {
        now < *lock(&self.behind_until)
    }

    /// The lease was renewed under these contents. Whether they are others than before: everything has to be written again.
    pub(super) fn renewed(&self, epoch: Epoch, now: Timestamp) -> bool {
        let before = lock(&self.epoch).replace(epoch);
        let lost = before.is_some_and(|before| before != epoch);
        if lost {
            self.settle(now);
        }
        lost
    }

    fn settle(&self, now: Timestamp) {
        self.health.send_if_modified(|health| {
            let StoreHealth::Healthy { settling_until } = health else { return false };
            *settling_until = (*settling_until).max(now.plus(SETTLING));
            true
        });
    }

    fn change(&self, to: impl FnOnce(StoreHealth) -> StoreHealth) -> Option<(StoreHealth, StoreHealth)> {
        let mut change = None;
        self.health.send_if_modified(|health| {
            let (before, after) = (*health, to(*health));
            *health = after;
            change = (before != after).then_some((before, after));
            change.is_some()
        });
        change
    }

    /// A read succeeded. It does not say that writes do.
    fn answered(&self, now: Timestamp) {
        // Not a change as a rule: that costs no exclusive lock.
        if self.now().is_readable() {
            return;
        }
        self.recovered(now);
    }

    fn took_a_write(&self, now: Timestamp) {
        if self.now().is_writable() {
            return;
        }
        self.recovered(now);
    }

    fn recovered(&self, now: Timestamp) {
        self.was_writable.store(true, Ordering::Relaxed);
        let change = self.change(|health| match health {
            StoreHealth::Healthy { .. } => health,
            StoreHealth::Unknown => StoreHealth::Healthy { settling_until: now },
            StoreHealth::LoginRefused { .. } | StoreHealth::Away | StoreHealth::Unreadable | StoreHealth::ReadOnly => {
                StoreHealth::Healthy { settling_until: now.plus(SETTLING) }
            }
        });
        match change {
            Some((StoreHealth::Unknown, _)) => info!("sessions are shared through the store"),
            Some((StoreHealth::ReadOnly, _)) => info!("the session store takes writes again"),
            Some(_) => info!("the session store is back"),
            None => return,
        }
        if matches!(change, Some((StoreHealth::Away | StoreHealth::Unreadable, _))) {
            *lock(&self.behind_until) = now.plus(SETTLING);
        }
        if !matches!(change, Some((StoreHealth::Unknown, _))) {
            self.returns.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn failed(&self, error: &StoreError, now: Timestamp) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        match error {
            StoreError::Away(reason) => {
                // A login that was never accepted stays refused until it is.
                let away = self.change(|health| match health {
                    StoreHealth::LoginRefused { had_contact: false } => health,
                    _ => StoreHealth::Away,
                });
                if away.is_some() {
                    warn!(reason, "the session store is away: serving goes on, what changes is kept and written later");
                }
            }
            StoreError::LoginRefused(reason) => {
                let refused = self.change(|health| match health {
                    StoreHealth::LoginRefused { .. } => health,
                    StoreHealth::Unknown => StoreHealth::LoginRefused { had_contact: false },
                    StoreHealth::Away
                    | StoreHealth::Unreadable
                    | StoreHealth::ReadOnly
                    | StoreHealth::Healthy { .. } => {
                        StoreHealth::LoginRefused { had_contact: lock(&self.epoch).is_some() }
                    }
                });
                if refused.is_some() {
                    error!(
                        reason,
                        "the session store refuses the login: correct user and password in REDIS_URL, or the account's \
                         permissions; a pod that never had access does not become ready"
                    );
                }
            }
            StoreError::NotReadable(reason) => {
                if self.change(|_| StoreHealth::Unreadable).is_some() {
                    warn!(
                        reason,
                        "the session store answers and cannot be read: serving goes on, what changes is kept"
                    );
                }
            }
            StoreError::NotWritable(reason) => {
                if self.change(|_| StoreHealth::ReadOnly).is_some() {
                    warn!(reason, "the session store takes no writes: what changes is kept and written later");
                }
            }
            StoreError::PartlyAway(reason) => {
                self.errors.fetch_sub(1, Ordering::Relaxed);
                self.partly_failed(1, reason, now);
            }
            StoreError::Refused(reason) => warn!(reason, "the session store refused an operation"),
        }
    }

    /// So many operations met a part of the store that is away.
    pub(super) fn partly_failed(&self, operations: u64, reason: &str, now: Timestamp) {
        self.errors.fetch_add(operations, Ordering::Relaxed);
        if lock(&self.partial_outage).replace(PartialOutage { last_error: now }).is_none() {
            warn!(reason, "a part of the session store is away: what it keeps is written later");
        }
    }

    /// Everything that a part of the store had not taken is written.
    pub(super) fn nothing_owed(&self, now: Timestamp) {
        let mut outage = lock(&self.partial_outage);
        if outage.is_some_and(|outage| now >= outage.last_error.plus(PARTIAL_OUTAGE_OVER)) {
            *outage = None;
            info!("the session store is whole again");
        }
    }
}

/// A poisoned lock is safe to reuse: every critical section is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    const fn contents(epoch: Option<Epoch>) -> Contents {
        Contents { epoch, settling: false }
    }

    fn away<T>() -> Result<T, StoreError> {
        Err(StoreError::Away("no answer".to_owned()))
    }

    fn not_writable<T>() -> Result<T, StoreError> {
        Err(StoreError::NotWritable("OOM".to_owned()))
    }

    #[test]
    fn absence_is_believed_in_the_known_contents_only_and_not_just_after_an_outage() {
        let monitor = HealthMonitor::new();
        assert!(!monitor.believes_absence(contents(None), at(0)), "never heard");
        assert_eq!(monitor.written(Ok(7), at(1_000)), Some(7));
        assert!(!monitor.renewed(1, at(1_000)), "a first contact loses nothing");
        assert!(monitor.believes_absence(contents(Some(1)), at(1_000)));
        assert!(!monitor.believes_absence(contents(None), at(2_000)), "emptied under an open connection");
        assert!(
            !monitor.believes_absence(contents(Some(1)), at(11_999))
                && monitor.believes_absence(contents(Some(1)), at(12_000))
        );
        assert_eq!(monitor.read(away::<u8>(), at(20_000)), None);
        assert!(!monitor.believes_absence(contents(Some(1)), at(20_000)));
        monitor.read(Ok(()), at(30_000));
        assert!(
            !monitor.believes_absence(contents(Some(1)), at(39_999))
                && monitor.believes_absence(contents(Some(1)), at(40_000))
        );
        assert!(monitor.renewed(2, at(50_000)), "it came back empty");
        assert!(
            !monitor.believes_absence(contents(Some(2)), at(59_999))
                && monitor.believes_absence(contents(Some(2)), at(60_000))
        );
        assert_eq!(monitor.errors(), 1);
    }

    #[test]
    fn reading_goes_on_where_writing_does_not() {
        let monitor = HealthMonitor::new();
        monitor.written(Ok(()), at(0));
        monitor.written(not_writable::<()>(), at(1));
        let health = monitor.now();
        assert!(health.is_reachable() && health.is_readable() && !health.is_writable());
        monitor.read(Ok(()), at(2));
        assert_eq!(monitor.now(), StoreHealth::ReadOnly, "a read says nothing of writes");
        monitor.written(Ok(()), at(3));
        assert!(monitor.now().is_writable());
        assert!(!monitor.believes_leases(at(4)), "leases could not be renewed a moment ago");
    }

    #[test]
    fn a_refused_login_is_told_from_an_outage() {
        let refused = || Err::<(), _>(StoreError::LoginRefused("WRONGPASS".to_owned()));
        let monitor = HealthMonitor::new();
        monitor.written(refused(), at(0));
        assert_eq!(monitor.now(), StoreHealth::LoginRefused { had_contact: false });
        monitor.written(Ok(()), at(1));
        monitor.renewed(1, at(1));
        monitor.written(refused(), at(2));
        assert_eq!(monitor.now(), StoreHealth::LoginRefused { had_contact: true });
    }

    #[test]
    fn a_part_that_is_away_is_counted_and_takes_nothing_down() {
        let monitor = HealthMonitor::new();
        monitor.written(Ok(()), at(0));
        monitor.renewed(1, at(0));
        assert_eq!(monitor.read(Err::<(), _>(StoreError::PartlyAway("a node".to_owned())), at(1)), None);
        monitor.partly_failed(3, "a node", at(9_000));
        assert!(monitor.now().is_writable());
        assert_eq!(monitor.errors(), 4);
        assert!(!monitor.believes_absence(contents(Some(1)), at(13_999)));
        monitor.nothing_owed(at(13_999));
        assert!(!monitor.believes_absence(contents(Some(1)), at(13_999)), "not so long ago something was missing");
        monitor.nothing_owed(at(14_000));
        assert!(monitor.believes_absence(contents(Some(1)), at(14_000)), "whole again");
    }
}
