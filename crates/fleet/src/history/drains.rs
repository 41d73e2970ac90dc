//! All drains, as the reports and sessions of the pods change them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use session_domain::lifecycle::Reason;
use session_domain::{Departure, Phase, PodReport, SessionId, SessionView, Timestamp, UserName};

use super::countdown::Countdown;
use super::record::{DrainEnd, DrainRecord};
use super::tally::{Ask, Member};
use crate::address::Address;
use crate::bounds::MAX_DRAIN_RECORDS;

/// The current and past drains. Views share them until they change.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// The last drain at each address: it runs, or has ended so recently that departures may still arrive.
    running: BTreeMap<Address, Arc<DrainRecord>>,
    past: Arc<VecDeque<Arc<DrainRecord>>>,
}

impl History {
    /// The drains that run first, then the newest.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &DrainRecord> {
        let (running, over): (Vec<_>, Vec<_>) = self.running.values().partition(|record| record.end.is_none());
        running.into_iter().chain(over).chain(self.past.iter().rev()).map(Arc::as_ref)
    }
}

/// The drains, as their owner holds them.
#[derive(Debug, Default)]
pub(crate) struct Drains {
    view: History,
    /// The state of each session that the last drain at an address counts and its pod still holds.
    members: HashMap<Address, HashMap<SessionId, Member>>,
}

impl Drains {
    /// The part that views share.
    pub(crate) fn history(&self) -> &History {
        &self.view
    }

    /// Records a report of the pod at an address; `before` is its last report, absent if the pod was not live until now.
    /// Returns whether a drain began, or a lost one resumed: the caller must then [count](Self::hold) its sessions.
    pub(crate) fn report(
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
                Some(countdown) if is_same_process && !is_over && record.is_continued_by(countdown) => {
                    let deadline = report.forced_logout_at.or(record.deadline);
                    let known = (record.reason, record.countdown_started_at, record.deadline, record.end);
                    if known != (countdown.reason, countdown.started_at, deadline, None) {
                        Arc::make_mut(record).follow(countdown, report);
                    }
                    if !record.handoff.is_current(report) {
                        Arc::make_mut(record).handoff.record_report(report);
                    }
                    return false;
                }
                // The countdown is over. The removals of force-closed sessions have not arrived yet.
                None if is_same_process && report.phase == Phase::Maintenance => {
                    if !is_over {
                        Arc::make_mut(record).end = Some(DrainEnd::Completed(now));
                    }
                    return false;
                }
                Some(_) | None if is_over => self.archive(at),
                Some(_) | None if !is_same_process => self.end(at, DrainEnd::Lost(now)),
                Some(_) | None => self.end(at, DrainEnd::Cancelled(now)),
            }
        }
        let Some(countdown) = countdown else { return false };
        if let Some(mut record) = self.take_lost(report, &countdown) {
            let resumed = Arc::make_mut(&mut record);
            resumed.resume(now);
            resumed.follow(&countdown, report);
            self.view.running.insert(at.clone(), record);
            return true;
        }
        let before = before.filter(|b| b.pod == report.pod && b.started_at == report.started_at);
        let record = DrainRecord::new(report, &countdown, before, now);
        self.view.running.insert(at.clone(), Arc::new(record));
        true
    }

    /// Records that the pod at an address is unreachable.
    pub(crate) fn lose(&mut self, at: &Address, last_seen: Timestamp) {
        if let Some(record) = self.view.running.get_mut(at)
            && record.end.is_none()
        {
            Arc::make_mut(record).end = Some(DrainEnd::Lost(last_seen));
        }
    }

    /// Records that the pod at an address holds this session. A session that the drain does not count yet is counted from
    /// now on if `enters`.
    pub(crate) fn hold(&mut self, at: &Address, session: &SessionView, enters: bool, now: Timestamp) {
        let Some(record) = self.view.running.get_mut(at).filter(|record| record.is_open(now)) else { return };
        let (id, user, is_present) = (session.id, &session.user, session.is_present());
        let mut ask = Ask::At(now);
        let member = match self.members.get_mut(at).and_then(|members| members.get_mut(&id)) {
            Some(member) => {
                let (from, to) = (member.state, member.state.next(is_present));
                if from != to || record.is_renamed(id, user) {
                    Arc::make_mut(record).change(id, user, from, to);
                    member.state = to;
                }
                member
            }
            None if enters && record.end.is_none() => {
                ask = Ask::Earlier;
                let state = Arc::make_mut(record).enter(id, user, is_present);
                let members = self.members.entry(at.clone()).or_default();
                members.entry(id).insert_entry(Member { state, ask: Ask::NotSeen }).into_mut()
            }
            None => return,
        };
        if session.asked_to_move && member.ask == Ask::NotSeen {
            member.ask = ask;
            Arc::make_mut(record).handoff.record_asked();
        }
    }

    /// Records that the pod at an address no longer holds this session of `user`.
    pub(crate) fn leave(
        &mut self,
        at: &Address,
        id: SessionId,
        user: Option<&UserName>,
        departure: Departure,
        now: Timestamp,
    ) {
        let Some(member) = self.members.get_mut(at).and_then(|members| members.remove(&id)) else { return };
        let Some(record) = self.view.running.get_mut(at).filter(|record| record.is_open(now)) else { return };
        let record = Arc::make_mut(record);
        match departure {
            Departure::Renamed => record.withdraw(id, member.state),
            Departure::Ended(outcome) => record.leave(id, user, member, Some(outcome), now),
            Departure::Unknown => record.leave(id, user, member, None, now),
        }
    }

    /// Whether the pod at an address shuts down.
    pub(crate) fn is_shutdown(&self, at: &Address) -> bool {
        self.view.running.get(at).is_some_and(|record| record.reason == Reason::Shutdown)
    }

    /// Records the number of present sessions, once all data of the pod until now is applied.
    pub(crate) fn record_present(&mut self, at: &Address, now: Timestamp) {
        if let Some(record) = self.view.running.get_mut(at)
            && record.is_open(now)
            && !record.is_present_recorded()
        {
            Arc::make_mut(record).record_present(now);
        }
    }

    /// Ends the drain at an address unless it had ended already.
    pub(crate) fn end(&mut self, at: &Address, end: DrainEnd) {
        let is_known = |known: DrainEnd| !matches!(known, DrainEnd::Lost(_)) || matches!(end, DrainEnd::Lost(_));
        if let Some(record) = self.view.running.get_mut(at)
            && !record.end.is_some_and(is_known)
        {
            Arc::make_mut(record).end = Some(end);
        }
        self.archive(at);
    }

    /// Moves the drain at an address into the past.
    fn archive(&mut self, at: &Address) {
        self.members.remove(at);
        let Some(record) = self.view.running.remove(at) else { return };
        let past = Arc::make_mut(&mut self.view.past);
        past.push_back(record);
        if past.len() > MAX_DRAIN_RECORDS {
            past.pop_front();
        }
    }

    /// Takes the record of a lost drain whose pod is back and reports the same countdown.
    fn take_lost(&mut self, report: &PodReport, countdown: &Countdown) -> Option<Arc<DrainRecord>> {
        let is_it = |record: &Arc<DrainRecord>| {
            record.is_lost() && record.pod == report.pod && record.countdown_started_at == countdown.started_at
        };
        let index = self.view.past.iter().position(is_it)?;
        Arc::make_mut(&mut self.view.past).remove(index)
    }
}
