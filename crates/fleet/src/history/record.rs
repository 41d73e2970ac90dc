//! One drain of one pod: who was there, how each left, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use super::countdown::Countdown;
use super::tally::{Stand, Tally, Way};
use session_domain::lifecycle::Reason;
use session_domain::{Outcome, PodName, PodReport, SessionId, Timestamp, UserName};

/// Sessions of one drain that are remembered with their user; the others are counted.
pub const MAX_NAMED_SESSIONS: usize = 1_000;

/// A pod tells of its sessions once a second, and of itself at once: sessions that were closed at the end are heard of after
/// the end, and awaited for so long.
const SETTLES: Duration = Duration::from_secs(5);

/// Points of a drain's timeline. Where there would be more, every other one goes.
const POINTS_KEPT: usize = 240;

/// One drain of one pod. Its numbers add up: [`people`](Self::total) is the sum of all [departures](Self::departures), of
/// those [unknown](Self::unknown), [away](Self::away) and [left](Self::left).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainRecord {
    /// The pod.
    pub pod: PodName,
    /// Why its users had to go.
    pub reason: Reason,
    /// When it began, by the pod's clock.
    pub started_at: Timestamp,
    /// When remaining sessions would be force-closed, as the pod said last.
    pub deadline: Option<Timestamp>,
    /// When it was first heard of here. What happened before is not known.
    pub first_seen_at: Timestamp,
    /// Whether it was under way already when the pod was first heard, or heard again.
    pub is_partial: bool,
    /// When no session was present for the first time.
    pub emptied_at: Option<Timestamp>,
    /// How it ended; absent while it runs.
    pub end: Option<DrainEnd>,
    /// The first [`MAX_NAMED_SESSIONS`] sessions that were present.
    pub named_sessions: BTreeMap<SessionId, DrainedSession>,
    /// How many sessions were present, and when: the first point is the beginning, each further one a change.
    pub timeline: Vec<(Timestamp, u64)>,
    tally: Tally,
    /// Sessions that were there when the pod was lost, and not by name: some of them may be listed again.
    unnamed_lost: u64,
    /// When the countdown began that runs now: a later one than the drain's, where it has overtaken that.
    pub(super) countdown_started_at: Timestamp,
}

/// How a drain ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// The pod has said its last word, or its maintenance countdown is over.
    Completed(Timestamp),
    /// The notice was taken back: remaining users could stay.
    Cancelled(Timestamp),
    /// The pod was lost in the midst of it, and last heard then; what became of the remaining sessions is not known. Where
    /// it is heard again, its drain goes on.
    Lost(Timestamp),
}

/// A session that was present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainedSession {
    /// The user's name.
    pub user: UserName,
    /// When it left, and how, where the pod said it; absent while the pod holds it.
    pub ended: Option<(Timestamp, Option<Outcome>)>,
    /// Whether the pod holds it and it is not present any more: every page is closed.
    pub is_away: bool,
}

impl DrainEnd {
    /// When.
    pub const fn at(self) -> Timestamp {
        match self {
            Self::Completed(at) | Self::Cancelled(at) | Self::Lost(at) => at,
        }
    }
}

impl DrainRecord {
    /// Sessions that were present at any time of the drain.
    pub fn total(&self) -> u64 {
        self.tally.there()
    }

    /// Sessions that the pod held and that were not present at any time of the drain. Not among the other numbers.
    pub fn idle(&self) -> u64 {
        self.tally.idle()
    }

    /// Of the sessions that were present, those that ended with `outcome`.
    pub fn departures(&self, outcome: Outcome) -> u64 {
        self.tally.left(Some(outcome))
    }

    /// Of the sessions that were present, those whose end is not known: they went without a word of how, or were held by
    /// a pod that was lost.
    pub fn outcome_unknown(&self) -> u64 {
        let lost = if self.is_lost() { self.tally.present + self.tally.away } else { 0 };
        self.tally.left(None) + lost
    }

    /// Sessions that are present, or were at the end. None at a pod that was lost.
    pub fn remaining(&self) -> u64 {
        if self.is_lost() { 0 } else { self.tally.present }
    }

    /// Sessions that were present, have closed every page, and are held still, or were at the end. None at a pod that was
    /// lost.
    pub fn away(&self) -> u64 {
        if self.is_lost() { 0 } else { self.tally.away }
    }

    /// Users who were cut off: by force, or by their own page at the end of the countdown.
    pub fn cut_off(&self) -> u64 {
        self.departures(Outcome::Forced) + self.departures(Outcome::AutoLogout)
    }

    /// Whether its pod was lost in the midst of it.
    pub const fn is_lost(&self) -> bool {
        matches!(self.end, Some(DrainEnd::Lost(_)))
    }

    pub(super) fn new(report: &PodReport, countdown: &Countdown, is_partial: bool, now: Timestamp) -> Self {
        Self {
            pod: report.pod.clone(),
            reason: countdown.reason,
            started_at: countdown.started_at,
            deadline: report.forced_logout_at,
            first_seen_at: now,
            is_partial,
            emptied_at: None,
            end: None,
            named_sessions: BTreeMap::new(),
            timeline: Vec::new(),
            tally: Tally::default(),
            unnamed_lost: 0,
            countdown_started_at: countdown.started_at,
        }
    }

    /// Whether what happens now still belongs to it.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.end.is_none_or(|end| now.since(end.at()) <= SETTLES)
    }

    pub(super) fn follow(&mut self, countdown: &Countdown, report: &PodReport) {
        self.reason = countdown.reason;
        self.countdown_started_at = countdown.started_at;
        // Once nobody is present there is no deadline any more; the record keeps the one that there was.
        self.deadline = report.forced_logout_at.or(self.deadline);
        self.end = None;
    }

    /// Its pod was forgotten, and is heard again: it lists anew what it holds.
    pub(super) fn begin_anew(&mut self, now: Timestamp) {
        let held = self.tally.present + self.tally.away;
        let mut named = 0;
        for person in self.named_sessions.values_mut().filter(|person| person.ended.is_none()) {
            (person.ended, person.is_away) = (Some((now, None)), false);
            named += 1;
        }
        self.unnamed_lost += held.saturating_sub(named);
        self.tally.begin_anew();
    }

    /// A session is counted from now on.
    pub(super) fn enter(&mut self, id: SessionId, user: &UserName, is_present: bool) -> Stand {
        let stand = match self.named_sessions.get(&id).map(|person| person.ended) {
            Some(Some((_, way))) => {
                self.tally.come_back(way);
                Stand::Away.next(is_present)
            }
            Some(None) | None => Stand::first(is_present),
        };
        self.tally.enter(stand);
        let is_named = self.remember(id, user, stand);
        if stand.was_there() && !is_named && self.unnamed_lost > 0 {
            self.unnamed_lost -= 1;
            self.tally.come_back(None);
        }
        stand
    }

    /// A session that is counted stands otherwise, or has another name.
    pub(super) fn change(&mut self, id: SessionId, user: &UserName, from: Stand, to: Stand) {
        self.tally.withdraw(from);
        self.tally.enter(to);
        self.remember(id, user, to);
    }

    /// Whether the session's user has another name here.
    pub(super) fn is_renamed(&self, id: SessionId, user: &UserName) -> bool {
        self.named_sessions.get(&id).is_some_and(|person| person.user != *user)
    }

    /// A session goes on under another id.
    pub(super) fn withdraw(&mut self, id: SessionId, stand: Stand) {
        self.tally.withdraw(stand);
        self.named_sessions.remove(&id);
    }

    /// A session has left.
    pub(super) fn leave(&mut self, id: SessionId, user: Option<&UserName>, stand: Stand, way: Way, now: Timestamp) {
        // Nobody logs out or is forced who is not there: the pod tells a change once a second, and this one was shorter.
        let acted = matches!(way, Some(Outcome::Logout | Outcome::AutoLogout | Outcome::Forced));
        let stand = match user {
            Some(user) if acted && stand == Stand::Idle => {
                self.change(id, user, stand, Stand::Present);
                Stand::Present
            }
            Some(_) | None => stand,
        };
        self.tally.leave(stand, way);
        if let Some(person) = self.named_sessions.get_mut(&id) {
            (person.ended, person.is_away) = (Some((now, way)), false);
        }
    }

    /// Takes down how many are present.
    pub(super) fn count(&mut self, now: Timestamp) {
        let present = self.tally.present;
        if self.timeline.last().is_some_and(|(_, known)| *known == present) {
            return;
        }
        if self.timeline.len() >= POINTS_KEPT {
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

    /// Whether how many are present is taken down.
    pub(super) fn is_counted(&self) -> bool {
        self.timeline.last().is_some_and(|(_, known)| *known == self.tally.present)
    }

    /// Remembers the session by name, where it was there and there is room; whether it did.
    fn remember(&mut self, id: SessionId, user: &UserName, stand: Stand) -> bool {
        let has_room = self.named_sessions.contains_key(&id) || self.named_sessions.len() < MAX_NAMED_SESSIONS;
        let is_named = stand.was_there() && has_room;
        if is_named {
            let is_away = stand == Stand::Away;
            self.named_sessions.insert(id, DrainedSession { user: user.clone(), ended: None, is_away });
        }
        is_named
    }
}
