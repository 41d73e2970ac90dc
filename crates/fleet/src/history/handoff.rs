//! The handoff of one drain: how many sessions were asked to move, how long that took, and how many users saw the countdown.

use std::collections::BTreeMap;
use std::time::Duration;

use session_domain::{Counters, PodReport, Timestamp};

use super::record::DrainRecord;
use super::tally::Ask;

/// How much earlier than at the deadline the end of a session can be seen that was released at it: messages take a moment.
const CLOCK_TOLERANCE: Duration = Duration::from_millis(500);

/// What is recorded of the handoff while a drain runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HandoffRecord {
    /// The sessions that the pod has asked to move.
    asked: u64,
    /// The pod's notifications, and those of them that it had sent before the drain.
    notified: u64,
    notified_before: u64,
    last_moved_at: Option<Timestamp>,
    /// Whether the pod reported a handoff.
    was_reported: bool,
    /// The sessions that moved at the end of the countdown.
    released: u64,
    /// The sessions that were seen to be asked.
    seen_asked: u64,
    /// Of those, the ones that moved, by the time that it took: whole seconds, rounded up.
    moved_within: BTreeMap<u64, u64>,
    /// The sessions that moved and were not seen to be asked.
    moved_unseen: u64,
}

/// The handoff of one drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoffSummary {
    /// The sessions that the pod asked to move.
    pub asked: u64,
    /// The sessions that got the notice with its countdown, asked or not.
    pub notified: u64,
    /// The sessions that stayed to the end of the countdown, and were released to other pods then. Part of those that moved.
    pub released: u64,
    /// When the last session moved, of those that moved while some user was still there.
    pub last_moved_at: Option<Timestamp>,
    /// Within which time after being asked half of the sessions that moved had moved. Whole seconds.
    pub median: Option<Duration>,
    /// Within which time after being asked the slowest of them had moved. Whole seconds.
    pub longest: Option<Duration>,
}

impl HandoffRecord {
    /// Begins a record; the pod had sent this number of notifications before.
    pub(super) fn begin(notified_before: u64, report: &PodReport) -> Self {
        let Counters { asked_to_move: asked, drain_notifications_sent: notified, .. } = report.counters;
        Self { asked, notified, notified_before, was_reported: report.handoff.is_some(), ..Self::default() }
    }

    /// Whether the report says nothing new.
    pub(super) const fn is_current(&self, report: &PodReport) -> bool {
        self.asked == report.counters.asked_to_move
            && self.notified == report.counters.drain_notifications_sent
            && (self.was_reported || report.handoff.is_none())
    }

    pub(super) const fn record_report(&mut self, report: &PodReport) {
        self.asked = report.counters.asked_to_move;
        self.notified = report.counters.drain_notifications_sent;
        self.was_reported |= report.handoff.is_some();
    }

    pub(super) const fn record_asked(&mut self) {
        self.seen_asked += 1;
    }

    /// Records that a session moved.
    pub(super) fn record_moved(&mut self, ask: Ask, now: Timestamp) {
        self.last_moved_at = Some(now);
        match ask {
            Ask::At(asked_at) => *self.moved_within.entry(whole_seconds(now.since(asked_at))).or_default() += 1,
            Ask::NotSeen => self.moved_unseen += 1,
            // How long it took is not known.
            Ask::Earlier => {}
        }
    }

    /// Records that a session was released at the end of the countdown.
    pub(super) const fn record_released(&mut self) {
        self.released += 1;
    }

    /// The greatest time within which this part of the asked sessions had moved, in seconds.
    fn moved_within(&self, is_enough: impl Fn(u64, u64) -> bool) -> Option<Duration> {
        // A pod sends a session at most once a second. One that was asked and that nobody saw as such had moved by then.
        let unseen = self.moved_unseen.min(self.asked.saturating_sub(self.seen_asked));
        let all = self.moved_within.values().sum::<u64>() + unseen;
        let quick = (unseen > 0).then_some((1, unseen));
        let mut so_far = 0;
        let mut times = quick.into_iter().chain(self.moved_within.iter().map(|(seconds, count)| (*seconds, *count)));
        let found = times.find(|(_, count)| {
            so_far += count;
            is_enough(so_far, all)
        });
        found.map(|(seconds, _)| Duration::from_secs(seconds))
    }
}

/// Rounds up to whole seconds, at least one; above a minute to ten seconds, above ten minutes to minutes.
fn whole_seconds(time: Duration) -> u64 {
    let seconds = u64::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1);
    let step = match seconds {
        0..=60 => 1,
        61..=600 => 10,
        _ => 60,
    };
    seconds.div_ceil(step).saturating_mul(step)
}

impl DrainRecord {
    /// The handoff; `None` if the pod reported none, and asked no session to move.
    pub fn handoff(&self) -> Option<HandoffSummary> {
        let record = &self.handoff;
        (record.asked > 0 || record.was_reported).then(|| HandoffSummary {
            asked: record.asked,
            notified: record.notified.saturating_sub(record.notified_before),
            released: record.released,
            last_moved_at: record.last_moved_at,
            median: record.moved_within(|so_far, all| so_far * 2 >= all),
            longest: record.moved_within(|so_far, all| so_far == all),
        })
    }

    /// Whether the countdown is over at this time, by the fleet's clock.
    pub(super) fn is_past_deadline(&self, now: Timestamp) -> bool {
        let countdown = self.deadline.map(|deadline| deadline.since(self.countdown_started_at));
        countdown.is_some_and(|countdown| now.since(self.measured_from()) + CLOCK_TOLERANCE >= countdown)
    }

    /// When the drain began, by one clock where possible: `started_at` is the pod's clock, `first_seen_at` is the fleet's. Only
    /// a drain that was seen from its beginning is measured by one clock.
    pub fn measured_from(&self) -> Timestamp {
        if self.is_partial { self.started_at.min(self.first_seen_at) } else { self.first_seen_at }
    }
}
