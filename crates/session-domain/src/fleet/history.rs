//! What the drains were like: who was there, how each left, and when. The last [`DRAINS_KEPT`] are kept.
//!
//! A drain is a countdown of one pod, for a shutdown or for maintenance; a shutdown that overtakes a maintenance is the
//! same drain. Its record begins when the pod says so, or when the pod is first heard in the midst of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

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

/// A pod tells of its sessions once a second, and of itself at once: who was signed out at the end is heard of after the end,
/// and so long it is awaited.
const SETTLES: Duration = Duration::from_secs(5);

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
    /// Whether it was under way already when the pod was first heard, or heard again.
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
    /// When the countdown began that runs now: a later one than the drain's, where it has overtaken that.
    countdown_started_at: Timestamp,
}

/// How a drain ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// The pod has said its last word, or its maintenance countdown is over.
    Over(Timestamp),
    /// The notice was taken back: who was left could stay.
    Cancelled(Timestamp),
    /// The pod was lost in the midst of it, and last heard then; what became of who was left is not known. Where it is heard
    /// again, its drain goes on.
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
            countdown_started_at: countdown.started_at,
        }
    }

    /// Whether nobody has been counted yet: the pod's sessions are still coming in.
    fn is_uncounted(&self) -> bool {
        self.course.is_empty()
    }

    /// Whether what happens now still belongs to it.
    fn is_open(&self, now: Timestamp) -> bool {
        self.end.is_none_or(|end| now.since(end.at()) <= SETTLES)
    }

    fn follow(&mut self, countdown: &Countdown, report: &PodReport) {
        self.reason = countdown.reason;
        self.countdown_started_at = countdown.started_at;
        // Once nobody is left there is no deadline any more; the record keeps the one that there was.
        self.deadline = report.forced_logout_at.or(self.deadline);
        self.end = None;
    }

    fn join(&mut self, id: SessionId, user: &UserName, is_new: bool) {
        let known = self.known.get(&id);
        self.people += u64::from(is_new && known.is_none());
        // Who is back has not left.
        match known.and_then(|person| person.left) {
            Some((_, Some(outcome))) => self.departures[outcome as usize] -= 1,
            Some((_, None)) => self.untold -= 1,
            None => {}
        }
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
    /// The last drain at each address: one that runs, or has ended just now and may still hear of its last departures.
    running: BTreeMap<Address, Arc<DrainRecord>>,
    past: Arc<VecDeque<Arc<DrainRecord>>>,
}

impl History {
    /// Running ones first, then the newest.
    pub(super) fn iter(&self) -> impl Iterator<Item = &DrainRecord> {
        let (running, over): (Vec<_>, Vec<_>) = self.running.values().partition(|record| record.end.is_none());
        running.into_iter().chain(over).chain(self.past.iter().rev()).map(Arc::as_ref)
    }

    /// The pod at an address told of itself; `before` is what it had said last, absent where it was not heard until now.
    /// Gives whether a drain began: then who is there has to [join](Self::join).
    pub(super) fn report(
        &mut self,
        at: &Address,
        before: Option<&PodReport>,
        report: &PodReport,
        now: Timestamp,
    ) -> bool {
        let countdown = Countdown::of(report);
        if let Some(record) = self.running.get_mut(at) {
            let is_same_process = record.pod == report.pod && record.countdown_started_at >= report.started_at;
            let is_over = matches!(record.end, Some(DrainEnd::Over(_) | DrainEnd::Cancelled(_)));
            match &countdown {
                Some(countdown) if is_same_process && !is_over && countdown.continues(record) => {
                    let deadline = report.forced_logout_at.or(record.deadline);
                    let known = (record.reason, record.countdown_started_at, record.deadline, record.end);
                    if known != (countdown.reason, countdown.started_at, deadline, None) {
                        Arc::make_mut(record).follow(countdown, report);
                    }
                    return false;
                }
                // Nobody may come in; who was signed out has not been heard of yet.
                None if is_same_process && report.phase == Phase::Maintenance => {
                    if !is_over {
                        Arc::make_mut(record).end = Some(DrainEnd::Over(now));
                    }
                    return false;
                }
                Some(_) | None if is_over => self.file(at),
                Some(_) | None if !is_same_process => self.end(at, DrainEnd::Lost(now)),
                Some(_) | None => self.end(at, DrainEnd::Cancelled(now)),
            }
        }
        let Some(countdown) = countdown else { return false };
        if let Some(mut record) = self.take_lost(report, &countdown) {
            Arc::make_mut(&mut record).follow(&countdown, report);
            self.running.insert(at.clone(), record);
            return false;
        }
        let is_partial = before.is_none_or(|b| b.pod != report.pod || b.started_at != report.started_at);
        let record = DrainRecord::new(report, &countdown, is_partial, now);
        self.running.insert(at.clone(), Arc::new(record));
        true
    }

    /// The pod cannot be heard any more.
    pub(super) fn lose(&mut self, at: &Address, last_seen: Timestamp) {
        if let Some(record) = self.running.get_mut(at)
            && record.end.is_none()
        {
            Arc::make_mut(record).end = Some(DrainEnd::Lost(last_seen));
        }
    }

    /// Whether nobody of the drain that runs there has been counted yet.
    pub(super) fn is_uncounted(&self, at: &Address) -> bool {
        self.running.get(at).is_some_and(|record| record.is_uncounted())
    }

    /// This one is there; `is_new`: since now.
    pub(super) fn join(&mut self, at: &Address, id: SessionId, user: &UserName, is_new: bool) {
        let Some(record) = self.running.get_mut(at).filter(|record| record.end.is_none()) else { return };
        let is_renamed = record.known.get(&id).is_some_and(|person| person.user != *user);
        if is_new || is_renamed {
            Arc::make_mut(record).join(id, user, is_new);
        }
    }

    /// This one has left.
    pub(super) fn part(&mut self, at: &Address, id: SessionId, parting: Parting, now: Timestamp) {
        // Who went before anybody was counted was none of the drain's people.
        if let Some(record) = self.running.get_mut(at)
            && record.is_open(now)
            && !record.is_uncounted()
        {
            Arc::make_mut(record).part(id, parting, now);
        }
    }

    /// So many are there.
    pub(super) fn count(&mut self, at: &Address, left: usize, now: Timestamp) {
        let left = left as u64;
        if let Some(record) = self.running.get_mut(at)
            && record.is_open(now)
            && record.course.last().is_none_or(|(_, known)| *known != left)
        {
            Arc::make_mut(record).count(left, now);
        }
    }

    /// The drain at an address, if any, has ended, unless it had already.
    pub(super) fn end(&mut self, at: &Address, end: DrainEnd) {
        let is_known = |known: DrainEnd| !matches!(known, DrainEnd::Lost(_)) || matches!(end, DrainEnd::Lost(_));
        if let Some(record) = self.running.get_mut(at)
            && !record.end.is_some_and(is_known)
        {
            Arc::make_mut(record).end = Some(end);
        }
        self.file(at);
    }

    /// Nothing more will be heard of the drain at an address.
    fn file(&mut self, at: &Address) {
        let Some(record) = self.running.remove(at) else { return };
        let past = Arc::make_mut(&mut self.past);
        past.push_back(record);
        if past.len() > DRAINS_KEPT {
            past.pop_front();
        }
    }

    /// The record of a drain whose pod was lost, and is found again in it.
    fn take_lost(&mut self, report: &PodReport, countdown: &Countdown) -> Option<Arc<DrainRecord>> {
        let is_it = |record: &Arc<DrainRecord>| {
            matches!(record.end, Some(DrainEnd::Lost(_)))
                && record.pod == report.pod
                && record.countdown_started_at == countdown.started_at
        };
        let index = self.past.iter().position(is_it)?;
        Arc::make_mut(&mut self.past).remove(index)
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
        record.countdown_started_at == self.started_at || overtakes
    }
}

#[cfg(test)]
mod tests;
