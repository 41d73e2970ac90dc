//! The pace of a handoff: when sessions get their turn to move to other pods, how many, and who is shown the notice.
//!
//! ```text
//!  signal        HANDOFF_DELAY                       half of DRAIN_TIMEOUT          DRAIN_TIMEOUT
//!    │  nobody is asked │  every session gets its turn       │  late turns, the notice for all │ the rest is released
//! ```
//!
//! A second has at least `HANDOFF_RATE` turns, and as many as it takes to give the last session its turn by the half. While adoptions
//! keep up with the turns, a quarter of that time is kept in reserve; where they lag, that quarter is used. No turn comes while no pod
//! could adopt the session.

use std::time::Duration;

use super::effect::Effect;
use super::event::Situation;
use super::log_line::LogLine;
use super::notice::Notice;
use super::policy::HandoffPolicy;
use crate::pod::HandoffState;
use crate::time::Timestamp;

/// The time between two batches of turns, unless the rate is lower than one turn in this time.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);

/// Adoptions lag where more sessions had their turn and are still here than turns come in this time.
const LAG: Duration = Duration::from_secs(3);

/// Which sessions are shown the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeScope {
    /// None yet.
    None,
    /// Those that are still here `HANDOFF_QUIET` after they were asked.
    Staying,
    /// All.
    All,
}

/// How far a handoff has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handoff {
    policy: HandoffPolicy,
    /// When the first session gets its turn.
    pub asks_from: Timestamp,
    /// When every session had its turn, and is shown the notice.
    pub asks_until: Timestamp,
    /// Which sessions are shown the notice.
    pub scope: NoticeScope,
    /// Whether turns have begun and some pod can adopt.
    pub is_moving: bool,
    /// Whether turns would have begun, and no pod can adopt.
    pub is_stalled: bool,
    /// Turns are counted from here on: those before have come.
    counted_until: Timestamp,
    /// When the next batch of turns may come.
    next_batch: Timestamp,
    /// When something is due next.
    pub(super) next: Timestamp,
}

impl Handoff {
    pub(super) fn begin(policy: HandoffPolicy, notice: Notice) -> Self {
        let asks_from = notice.started_at.plus(policy.delay);
        let asks_until = notice.started_at.plus(notice.deadline.since(notice.started_at) / 2);
        Self {
            policy,
            asks_from,
            asks_until,
            scope: NoticeScope::None,
            is_moving: false,
            is_stalled: false,
            counted_until: asks_from,
            next_batch: asks_from,
            next: asks_from,
        }
    }

    /// How far it has come, as the pod reports it.
    pub const fn state(&self) -> HandoffState {
        match (self.is_moving, self.is_stalled) {
            (true, _) => HandoffState::Moving,
            (false, true) => HandoffState::Stalled,
            (false, false) => HandoffState::Delayed,
        }
    }

    /// The same with the pace at its beginning.
    pub(super) const fn without_pace(self) -> Self {
        Self { counted_until: self.asks_from, next_batch: self.asks_from, next: self.asks_from, ..self }
    }

    /// What is due now, and when the next is.
    pub(super) fn step(mut self, notice: Notice, situation: Situation, effects: &mut Vec<Effect>) -> Self {
        let Situation { now, population, can_move } = situation;
        let is_moving = now >= self.asks_from && can_move;
        if is_moving && !self.is_moving {
            // The first turn comes at once. Time in which no turn could come is not made up for in one blow.
            self.counted_until = now.minus(self.turn_time());
            self.next_batch = now;
        }
        self.is_moving = is_moving;
        self.is_stalled = now >= self.asks_from && !can_move;
        let turns = if is_moving { self.turns(notice, situation) } else { 0 };
        if turns > 0 {
            effects.push(Effect::AskToMove(turns));
        }
        self.notify(notice, situation, effects);
        let has_turns_to_come = is_moving && population.handoff.waiting > turns;
        let first_ask = population.handoff.first_ask.or((turns > 0).then_some(now));
        let notified_one = first_ask.is_some_and(|asked| asked.plus(self.policy.quiet) <= now);
        let is_partial = self.scope < NoticeScope::All;
        let next = [
            (now < self.asks_from).then_some(self.asks_from),
            has_turns_to_come.then_some(self.next_batch),
            first_ask.filter(|_| is_partial).map(|asked| asked.plus(self.policy.quiet)),
            // The ask after those is not known here.
            (is_partial && notified_one).then(|| now.plus(BATCH_INTERVAL)),
            is_partial.then_some(self.asks_until),
        ];
        // What is due now is done.
        let later = |time: &Timestamp| *time > now;
        self.next = next.into_iter().flatten().filter(later).min().unwrap_or(notice.deadline);
        self
    }

    /// The number of turns that are due, which counts them.
    fn turns(&mut self, notice: Notice, Situation { now, population, .. }: Situation) -> u64 {
        let waiting = population.handoff.waiting;
        let is_half = self.scope < NoticeScope::All && now >= self.asks_until;
        if waiting == 0 || is_half {
            self.counted_until = now;
            return waiting;
        }
        if now < self.next_batch {
            return 0;
        }
        self.next_batch = now.plus(BATCH_INTERVAL.max(self.turn_time()));
        let rate = self.rate(notice, now, waiting, population.handoff.asked);
        let since = u64::try_from(now.since(self.counted_until).as_millis()).unwrap_or(u64::MAX);
        let turns = (since.saturating_mul(rate) / 1000).min(waiting);
        // A fraction of a turn counts for the next batch.
        self.counted_until = self.counted_until.plus(Duration::from_millis(turns.saturating_mul(1000) / rate));
        turns
    }

    /// Turns a second.
    fn rate(&self, notice: Notice, now: Timestamp, waiting: u64, asked: u64) -> u64 {
        let until = if now < self.asks_until { self.asks_until } else { notice.deadline };
        let slowest = self.at_least(rate_for(waiting, until.since(now)));
        let reserve = self.asks_until.since(self.asks_from) / 4;
        let early = self.asks_until.minus(reserve);
        let lags = asked > slowest.saturating_mul(LAG.as_secs());
        if lags || now >= early { slowest } else { self.at_least(rate_for(waiting, early.since(now))) }
    }

    fn at_least(&self, rate: u64) -> u64 {
        rate.max(self.policy.rate).max(1)
    }

    /// The time of one turn at the lowest rate, rounded up to whole milliseconds.
    fn turn_time(&self) -> Duration {
        Duration::from_millis(1000_u64.div_ceil(self.policy.rate.max(1)))
    }

    fn notify(&mut self, notice: Notice, Situation { now, population, .. }: Situation, effects: &mut Vec<Effect>) {
        let is_first = self.scope == NoticeScope::None;
        if self.scope == NoticeScope::All {
            return;
        }
        if now >= self.asks_until {
            if is_first {
                effects.push(Effect::Log(LogLine::Notifying(population.present)));
            }
            effects.push(Effect::Notify(notice));
            self.scope = NoticeScope::All;
            return;
        }
        let until = now.minus(self.policy.quiet);
        if population.handoff.first_ask.is_some_and(|asked| asked <= until) {
            effects.push(Effect::NotifyStaying { notice, until, is_first });
            self.scope = NoticeScope::Staying;
        }
    }
}

/// The turns a second that `waiting` sessions need to have theirs within `left`.
fn rate_for(waiting: u64, left: Duration) -> u64 {
    let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
    waiting.saturating_mul(1000).div_ceil(left)
}
