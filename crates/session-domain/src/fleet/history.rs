//! What the drains were like: who was there, how each left, and when. The last [`DRAINS_KEPT`] are kept.
//!
//! A drain is a countdown of one pod, for a shutdown or for maintenance; a shutdown that overtakes a maintenance is the
//! same drain. Its record begins when the pod says so, or when the pod is first heard in the midst of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::heard::Parting;
use super::pod::Address;
use crate::ids::{PodName, SessionId, UserName};
use crate::lifecycle::Reason;
use crate::outcome::Outcome;
use crate::pod::{Phase, PodReport};
use crate::time::Timestamp;

/// Drains that are remembered, those that run not among them.
pub const DRAINS_KEPT: usize = 100;

/// People of one drain who are remembered by name; the others are counted.
pub const PEOPLE_KEPT: usize = 1_000;

/// Points of a drain's course. Where there would be more, every other one goes.
const POINTS_KEPT: usize = 240;

/// One drain of one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainRecord {
    /// The pod.
    pub pod: PodName,
    /// Why its people had to go.
    pub reason: Reason,
    /// When it began, by the pod's clock.
    pub started_at: Timestamp,
    /// When who was left would be force-closed, as the pod said last.
    pub deadline: Option<Timestamp>,
    /// When it was first heard of here. What happened before is not known.
    pub heard_at: Timestamp,
    /// Whether it was under way already when the pod was first heard.
    pub is_partial: bool,
    /// When nobody was left for the first time.
    pub emptied_at: Option<Timestamp>,
    /// How it ended; absent while it runs.
    pub end: Option<DrainEnd>,
    /// People who were there, or came in the midst of it.
    pub people: u64,
    /// The first [`PEOPLE_KEPT`] of them.
    pub known: BTreeMap<SessionId, Person>,
    /// How many were left, and when: the first point is the beginning, each further one a change.
    pub course: Vec<(Timestamp, u64)>,
    departures: [u64; Outcome::ALL.len()],
    untold: u64,
}

/// How a drain ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// The pod has said its last word, or its maintenance countdown is over.
    Over(Timestamp),
    /// The notice was taken back: who was left could stay.
    Cancelled(Timestamp),
    /// The pod was lost in the midst of it; what became of who was left is not known.
    Lost(Timestamp),
}

/// Somebody who was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The user's name.
    pub user: UserName,
    /// When they left, and how, where the pod said it; absent while they are there.
    pub left: Option<(Timestamp, Option<Outcome>)>,
}

impl DrainEnd {
    /// When.
    pub const fn at(self) -> Timestamp {
        match self {
            Self::Over(at) | Self::Cancelled(at) | Self::Lost(at) => at,
        }
    }
}

impl DrainRecord {
    /// Sessions that ended with `outcome`.
    pub const fn departures(&self, outcome: Outcome) -> u64 {
        self.departures[outcome as usize]
    }

    /// Sessions that went without a word of how.
    pub const fn untold(&self) -> u64 {
        self.untold
    }

    /// Sessions that are left, or were at the end.
    pub fn left(&self) -> u64 {
        self.course.last().map_or(0, |(_, left)| *left)
    }

    fn new(report: &PodReport, countdown: &Countdown, is_partial: bool, now: Timestamp) -> Self {
        Self {
            pod: report.pod.clone(),
            reason: countdown.reason,
            started_at: countdown.started_at,
            deadline: report.forced_logout_at,
            heard_at: now,
            is_partial,
            emptied_at: None,
            end: None,
            people: 0,
            known: BTreeMap::new(),
            course: Vec::new(),
            departures: [0; Outcome::ALL.len()],
            untold: 0,
        }
    }

    fn join(&mut self, id: SessionId, user: &UserName, is_new: bool) {
        self.people += u64::from(is_new);
        if self.known.contains_key(&id) || self.known.len() < PEOPLE_KEPT {
            self.known.insert(id, Person { user: user.clone(), left: None });
        }
    }

    fn part(&mut self, id: SessionId, parting: Parting, now: Timestamp) {
        let outcome = match parting {
            // Nobody has left: the same person goes on under another id.
            Parting::Renamed => {
                self.people = self.people.saturating_sub(1);
                self.known.remove(&id);
                return;
            }
            Parting::Ended(outcome) => Some(outcome),
            Parting::Untold => None,
        };
        match outcome {
            Some(outcome) => self.departures[outcome as usize] += 1,
            None => self.untold += 1,
        }
        if let Some(person) = self.known.get_mut(&id) {
            person.left = Some((now, outcome));
        }
    }

    fn count(&mut self, left: u64, now: Timestamp) {
        if self.course.len() >= POINTS_KEPT {
            let mut keep = false;
            self.course.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.course.push((now, left));
        if left == 0 {
            self.emptied_at.get_or_insert(now);
        }
    }
}

/// The drains that run and those that are over. Shared with the views until it changes.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    running: BTreeMap<Address, Arc<DrainRecord>>,
    past: Arc<VecDeque<Arc<DrainRecord>>>,
}

impl History {
    /// Running ones first, then the newest.
    pub(super) fn iter(&self) -> impl Iterator<Item = &DrainRecord> {
        let running = self.running.values().map(Arc::as_ref);
        running.chain(self.past.iter().rev().map(Arc::as_ref))
    }

    /// The pod at an address told of itself; `before` is what it had said last. Gives whether a drain began: then who
    /// is there has to [join](Self::join).
    pub(super) fn report(
        &mut self,
        at: &Address,
        before: Option<&PodReport>,
        report: &PodReport,
        now: Timestamp,
    ) -> bool {
        let is_same_process = before.is_some_and(|b| b.pod == report.pod && b.started_at == report.started_at);
        let countdown = Countdown::of(report);
        if let Some(record) = self.running.get_mut(at) {
            match &countdown {
                Some(countdown) if is_same_process && countdown.continues(record) => {
                    // Once nobody is left there is no deadline any more; the record keeps the one that there was.
                    let deadline = report.forced_logout_at.or(record.deadline);
                    if (record.reason, record.deadline) != (countdown.reason, deadline) {
                        let record = Arc::make_mut(record);
                        (record.reason, record.deadline) = (countdown.reason, deadline);
                    }
                    return false;
                }
                Some(_) | None if !is_same_process => self.end(at, DrainEnd::Lost(now)),
                None if report.phase == Phase::Maintenance => self.end(at, DrainEnd::Over(now)),
                Some(_) | None => self.end(at, DrainEnd::Cancelled(now)),
            }
        }
        let Some(countdown) = countdown else { return false };
        let record = DrainRecord::new(report, &countdown, !is_same_process, now);
        self.running.insert(at.clone(), Arc::new(record));
        true
    }

    /// This one is there; `is_new`: since now.
    pub(super) fn join(&mut self, at: &Address, id: SessionId, user: &UserName, is_new: bool) {
        let Some(record) = self.running.get_mut(at) else { return };
        let is_renamed = record.known.get(&id).is_some_and(|person| person.user != *user);
        if is_new || is_renamed {
            Arc::make_mut(record).join(id, user, is_new);
        }
    }

    /// This one has left.
    pub(super) fn part(&mut self, at: &Address, id: SessionId, parting: Parting, now: Timestamp) {
        if let Some(record) = self.running.get_mut(at) {
            Arc::make_mut(record).part(id, parting, now);
        }
    }

    /// So many are there.
    pub(super) fn count(&mut self, at: &Address, left: usize, now: Timestamp) {
        let left = left as u64;
        if let Some(record) = self.running.get_mut(at)
            && record.course.last().is_none_or(|(_, known)| *known != left)
        {
            Arc::make_mut(record).count(left, now);
        }
    }

    /// The drain that runs at `address`, if any, has ended.
    pub(super) fn end(&mut self, at: &Address, end: DrainEnd) {
        let Some(mut record) = self.running.remove(at) else { return };
        Arc::make_mut(&mut record).end = Some(end);
        let past = Arc::make_mut(&mut self.past);
        past.push_back(record);
        if past.len() > DRAINS_KEPT {
            past.pop_front();
        }
    }
}

/// The countdown that a report tells of.
struct Countdown {
    reason: Reason,
    started_at: Timestamp,
}

impl Countdown {
    fn of(report: &PodReport) -> Option<Self> {
        let reason = match report.phase {
            Phase::Serving => return None,
            Phase::Maintenance => Reason::Maintenance,
            Phase::Draining | Phase::Propagating => Reason::Shutdown,
        };
        report.drain_started_at.map(|started_at| Self { reason, started_at })
    }

    /// Whether it is the one that is recorded: itself, or the shutdown that has overtaken a maintenance.
    fn continues(&self, record: &DrainRecord) -> bool {
        let overtakes = (record.reason, self.reason) == (Reason::Maintenance, Reason::Shutdown);
        record.started_at == self.started_at || overtakes
    }
}

#[cfg(test)]
mod tests;
