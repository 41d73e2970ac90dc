//! How the record of a drain changes while the drain runs.

use std::collections::BTreeMap;
use std::time::Duration;

use session_domain::lifecycle::Reason;
use session_domain::{Outcome, PodReport, SessionId, Timestamp, UserName};

use super::countdown::Countdown;
use super::handoff::HandoffRecord;
use super::record::{DrainRecord, DrainedSession, MAX_NAMED_SESSIONS};
use super::tally::{Member, MemberState, Tally};

/// How long departures are awaited after the end. A pod sends its report at once but its sessions only once a second, so the
/// sessions that were closed at the end arrive after it.
const SETTLES_AFTER: Duration = Duration::from_secs(5);

/// The greatest number of points of a timeline. Beyond it, every other point is dropped.
const MAX_POINTS: usize = 240;

impl DrainRecord {
    /// Begins a record; `before` is the report before the drain, absent if this process was not seen then.
    pub(super) fn new(report: &PodReport, countdown: &Countdown, before: Option<&PodReport>, now: Timestamp) -> Self {
        // What a pod sent before it was first seen may belong to an earlier notice.
        let notified_before = before.unwrap_or(report).counters.drain_notifications_sent;
        Self {
            pod: report.pod.clone(),
            reason: countdown.reason,
            started_at: countdown.started_at,
            deadline: report.forced_logout_at,
            first_seen_at: now,
            is_partial: before.is_none(),
            emptied_at: None,
            end: None,
            named_sessions: BTreeMap::new(),
            timeline: Vec::new(),
            tally: Tally::default(),
            handoff: HandoffRecord::begin(notified_before, report),
            unnamed_lost: 0,
            countdown_started_at: countdown.started_at,
        }
    }

    /// Whether a countdown belongs to this drain: it is the same, or a shutdown that has overtaken the maintenance.
    pub(super) fn is_continued_by(&self, countdown: &Countdown) -> bool {
        let overtakes = (self.reason, countdown.reason) == (Reason::Maintenance, Reason::Shutdown);
        self.countdown_started_at == countdown.started_at || overtakes
    }

    /// Whether events at this time still belong to the drain.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.end.is_none_or(|end| now.since(end.at()) <= SETTLES_AFTER)
    }

    pub(super) fn follow(&mut self, countdown: &Countdown, report: &PodReport) {
        self.reason = countdown.reason;
        self.countdown_started_at = countdown.started_at;
        // Without a present session the pod reports no deadline; the record keeps the last one.
        self.deadline = report.forced_logout_at.or(self.deadline);
        self.end = None;
    }

    /// Resumes after the pod was lost and is back: the pod lists its sessions again.
    pub(super) fn resume(&mut self, now: Timestamp) {
        let held = self.tally.present + self.tally.away;
        let mut named = 0;
        for session in self.named_sessions.values_mut().filter(|session| session.ended.is_none()) {
            (session.ended, session.is_away) = (Some((now, None)), false);
            named += 1;
        }
        self.unnamed_lost += held.saturating_sub(named);
        self.tally.resume();
    }

    /// Counts a session from now on.
    pub(super) fn enter(&mut self, id: SessionId, user: &UserName, is_present: bool) -> MemberState {
        let state = match self.named_sessions.get(&id).map(|session| session.ended) {
            Some(Some((_, outcome))) => {
                self.tally.come_back(outcome);
                MemberState::Away.next(is_present)
            }
            Some(None) | None => MemberState::first(is_present),
        };
        self.tally.enter(state);
        let is_named = self.remember(id, user, state);
        if state.was_present() && !is_named && self.unnamed_lost > 0 {
            self.unnamed_lost -= 1;
            self.tally.come_back(None);
        }
        state
    }

    /// Updates a counted session whose state or user has changed.
    pub(super) fn change(&mut self, id: SessionId, user: &UserName, from: MemberState, to: MemberState) {
        self.tally.withdraw(from);
        self.tally.enter(to);
        self.remember(id, user, to);
    }

    /// Whether the record has another user for the session.
    pub(super) fn is_renamed(&self, id: SessionId, user: &UserName) -> bool {
        self.named_sessions.get(&id).is_some_and(|session| session.user != *user)
    }

    /// Removes a session that lives on under another id.
    pub(super) fn withdraw(&mut self, id: SessionId, state: MemberState) {
        self.tally.withdraw(state);
        self.named_sessions.remove(&id);
    }

    /// Records that a session has left.
    pub(super) fn leave(
        &mut self,
        id: SessionId,
        user: Option<&UserName>,
        member: Member,
        outcome: Option<Outcome>,
        now: Timestamp,
    ) {
        let state = member.state;
        // Once all users have gone, the pod releases the sessions that nobody has open.
        if outcome == Some(Outcome::Moved) && state.was_present() && self.is_past_deadline(now) {
            self.handoff.record_released();
        } else if outcome == Some(Outcome::Moved) && state.was_present() && self.tally.present > 0 {
            self.handoff.record_moved(member.ask, now);
        }
        // These outcomes need a present session. The pod reports a session once a second, so a shorter presence is missed.
        let was_present = matches!(outcome, Some(Outcome::Logout | Outcome::AutoLogout | Outcome::Forced));
        let state = match user {
            Some(user) if was_present && state == MemberState::Idle => {
                self.change(id, user, state, MemberState::Present);
                MemberState::Present
            }
            Some(_) | None => state,
        };
        self.tally.leave(state, outcome);
        if let Some(session) = self.named_sessions.get_mut(&id) {
            (session.ended, session.is_away) = (Some((now, outcome)), false);
        }
    }

    /// Adds the number of present sessions to the timeline if it has changed.
    pub(super) fn record_present(&mut self, now: Timestamp) {
        let present = self.tally.present;
        if self.timeline.last().is_some_and(|(_, known)| *known == present) {
            return;
        }
        if self.timeline.len() >= MAX_POINTS {
            let mut keep = false;
            self.timeline.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.timeline.push((now, present));
        if present == 0 {
            self.emptied_at.get_or_insert(now);
        }
    }

    /// Whether the timeline ends with the current number of present sessions.
    pub(super) fn is_present_recorded(&self) -> bool {
        self.timeline.last().is_some_and(|(_, known)| *known == self.tally.present)
    }

    /// Keeps the session by name if it was present and there is room. Returns whether it did.
    fn remember(&mut self, id: SessionId, user: &UserName, state: MemberState) -> bool {
        let has_room = self.named_sessions.contains_key(&id) || self.named_sessions.len() < MAX_NAMED_SESSIONS;
        let is_named = state.was_present() && has_room;
        if is_named {
            let is_away = state == MemberState::Away;
            self.named_sessions.insert(id, DrainedSession { user: user.clone(), ended: None, is_away });
        }
        is_named
    }
}
