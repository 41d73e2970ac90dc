//! What the drains were like: who was there, how each left, and when. The last [`MAX_DRAIN_RECORDS`] are kept.
//!
//! A drain is a countdown of one pod, for a shutdown or for maintenance; a shutdown that overtakes a maintenance is the
//! same drain. Its record begins when the pod says so, or when the pod is first heard in the midst of it.

mod countdown;
mod record;
mod tally;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use countdown::Countdown;
pub use record::{DrainEnd, DrainRecord, DrainedSession, MAX_NAMED_SESSIONS};
use tally::Stand;

use super::pod::Address;
use session_domain::{Departure, Phase, PodReport, SessionId, SessionView, Timestamp, UserName};

/// Drains that are remembered, those that run not among them.
pub const MAX_DRAIN_RECORDS: usize = 100;

/// The drains that run and those that are over, as views share them until they change.
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
}

/// The drains as their one owner keeps them.
#[derive(Debug, Default)]
pub(super) struct Drains {
    view: History,
    /// How each session stands that the last drain at an address counts and its pod holds.
    members: HashMap<Address, HashMap<SessionId, Stand>>,
}

impl Drains {
    /// What views share.
    pub(super) fn history(&self) -> &History {
        &self.view
    }

    /// The pod at an address told of itself; `before` is what it had said last, absent where it was not heard until now.
    /// Gives whether a drain began, or goes on that was lost: then what it holds has to be [counted](Self::hold).
    pub(super) fn report(
        &mut self,
        at: &Address,
        before: Option<&PodReport>,
        report: &PodReport,
        now: Timestamp,
    ) -> bool {
        let countdown = Countdown::of(report);
        if let Some(record) = self.view.running.get_mut(at) {
            let is_same_process = record.pod == report.pod && record.countdown_started_at >= report.started_at;
            let is_over = matches!(record.end, Some(DrainEnd::Completed(_) | DrainEnd::Cancelled(_)));
            match &countdown {
                Some(countdown) if is_same_process && !is_over && countdown.continues(record) => {
                    let deadline = report.forced_logout_at.or(record.deadline);
                    let known = (record.reason, record.countdown_started_at, record.deadline, record.end);
                    if known != (countdown.reason, countdown.started_at, deadline, None) {
                        Arc::make_mut(record).follow(countdown, report);
                    }
                    return false;
                }
                // Nobody may come in; sessions that were closed at the end have not been heard of yet.
                None if is_same_process && report.phase == Phase::Maintenance => {
                    if !is_over {
                        Arc::make_mut(record).end = Some(DrainEnd::Completed(now));
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
            let resumed = Arc::make_mut(&mut record);
            resumed.begin_anew(now);
            resumed.follow(&countdown, report);
            self.view.running.insert(at.clone(), record);
            return true;
        }
        let is_partial = before.is_none_or(|b| b.pod != report.pod || b.started_at != report.started_at);
        let record = DrainRecord::new(report, &countdown, is_partial, now);
        self.view.running.insert(at.clone(), Arc::new(record));
        true
    }

    /// The pod cannot be heard any more.
    pub(super) fn lose(&mut self, at: &Address, last_seen: Timestamp) {
        if let Some(record) = self.view.running.get_mut(at)
            && record.end.is_none()
        {
            Arc::make_mut(record).end = Some(DrainEnd::Lost(last_seen));
        }
    }

    /// The pod at an address holds this session. Those that are counted are followed; others are counted from now on
    /// where `enters` says so.
    pub(super) fn hold(&mut self, at: &Address, session: &SessionView, enters: bool, now: Timestamp) {
        let Some(record) = self.view.running.get_mut(at).filter(|record| record.is_open(now)) else { return };
        let (id, user, is_present) = (session.id, &session.user, session.is_present());
        match self.members.get(at).and_then(|members| members.get(&id)) {
            Some(stand) => {
                let (from, to) = (*stand, stand.next(is_present));
                if from != to || record.is_renamed(id, user) {
                    Arc::make_mut(record).change(id, user, from, to);
                    self.members.entry(at.clone()).or_default().insert(id, to);
                }
            }
            None if enters && record.end.is_none() => {
                let stand = Arc::make_mut(record).enter(id, user, is_present);
                self.members.entry(at.clone()).or_default().insert(id, stand);
            }
            None => {}
        }
    }

    /// The pod at an address does not hold this session any more; `user` is whose it was.
    pub(super) fn part(
        &mut self,
        at: &Address,
        id: SessionId,
        user: Option<&UserName>,
        departure: Departure,
        now: Timestamp,
    ) {
        let Some(stand) = self.members.get_mut(at).and_then(|members| members.remove(&id)) else { return };
        let Some(record) = self.view.running.get_mut(at).filter(|record| record.is_open(now)) else { return };
        let record = Arc::make_mut(record);
        match departure {
            Departure::Renamed => record.withdraw(id, stand),
            Departure::Ended(outcome) => record.leave(id, user, stand, Some(outcome), now),
            Departure::Unknown => record.leave(id, user, stand, None, now),
        }
    }

    /// All that was heard of the pod at an address until now is taken in: takes down how many are present.
    pub(super) fn count(&mut self, at: &Address, now: Timestamp) {
        if let Some(record) = self.view.running.get_mut(at)
            && record.is_open(now)
            && !record.is_counted()
        {
            Arc::make_mut(record).count(now);
        }
    }

    /// The drain at an address, if any, has ended, unless it had already.
    pub(super) fn end(&mut self, at: &Address, end: DrainEnd) {
        let is_known = |known: DrainEnd| !matches!(known, DrainEnd::Lost(_)) || matches!(end, DrainEnd::Lost(_));
        if let Some(record) = self.view.running.get_mut(at)
            && !record.end.is_some_and(is_known)
        {
            Arc::make_mut(record).end = Some(end);
        }
        self.file(at);
    }

    /// Nothing more will be heard of the drain at an address.
    fn file(&mut self, at: &Address) {
        self.members.remove(at);
        let Some(record) = self.view.running.remove(at) else { return };
        let past = Arc::make_mut(&mut self.view.past);
        past.push_back(record);
        if past.len() > MAX_DRAIN_RECORDS {
            past.pop_front();
        }
    }

    /// The record of a drain whose pod was lost, and is found again in it.
    fn take_lost(&mut self, report: &PodReport, countdown: &Countdown) -> Option<Arc<DrainRecord>> {
        let is_it = |record: &Arc<DrainRecord>| {
            record.is_lost() && record.pod == report.pod && record.countdown_started_at == countdown.started_at
        };
        let index = self.view.past.iter().position(is_it)?;
        Arc::make_mut(&mut self.view.past).remove(index)
    }
}

#[cfg(test)]
mod sums;
#[cfg(test)]
mod tests;
