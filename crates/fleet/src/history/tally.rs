//! The counts of one drain. Each session that the pod holds during the drain is counted in exactly one place, so the numbers
//! always add up: a session that was present is still present, is away, or has left with an outcome. Sessions that were never
//! present are counted apart.

use session_domain::{Outcome, Timestamp};

/// The state of a session that the draining pod holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberState {
    /// Not present since the drain began.
    Idle,
    /// Present.
    Present,
    /// Present earlier in the drain, and not any more: all its pages are closed.
    Away,
}

impl MemberState {
    /// The state of a session that is counted from now on.
    pub(crate) const fn first(is_present: bool) -> Self {
        if is_present { Self::Present } else { Self::Idle }
    }

    /// The state after an update.
    pub(crate) const fn next(self, is_present: bool) -> Self {
        match (self, is_present) {
            (_, true) => Self::Present,
            (Self::Present | Self::Away, false) => Self::Away,
            (Self::Idle, false) => Self::Idle,
        }
    }

    /// Whether the session was present during the drain.
    pub(super) const fn was_present(self) -> bool {
        !matches!(self, Self::Idle)
    }
}

/// A session that the draining pod holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(super) state: MemberState,
    pub(super) ask: Ask,
}

/// What is known of when a session was asked to move to another pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// It was not seen to be asked.
    NotSeen,
    /// It was first seen to be asked at this time.
    At(Timestamp),
    /// It was asked already when it was first seen during the drain.
    Earlier,
}

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) present: u64,
    pub(super) away: u64,
    held_idle: u64,
    departed: ByOutcome,
    departed_idle: ByOutcome,
}

/// Sessions by outcome. The last number counts those without a known outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ByOutcome([u64; Outcome::ALL.len() + 1]);

impl ByOutcome {
    fn index(outcome: Option<Outcome>) -> usize {
        outcome.map_or(Outcome::ALL.len(), |outcome| outcome as usize)
    }

    fn get(&self, outcome: Option<Outcome>) -> u64 {
        self.0[Self::index(outcome)]
    }

    fn get_mut(&mut self, outcome: Option<Outcome>) -> &mut u64 {
        &mut self.0[Self::index(outcome)]
    }

    fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Tally {
    /// The sessions that were present at any time.
    pub(super) fn total(&self) -> u64 {
        self.present + self.away + self.departed.sum()
    }

    /// The sessions that were held and never present.
    pub(super) fn idle(&self) -> u64 {
        self.held_idle + self.departed_idle.sum()
    }

    /// Of the sessions that were present, those that left with this outcome; `None` for an unknown one.
    pub(super) fn departed(&self, outcome: Option<Outcome>) -> u64 {
        self.departed.get(outcome)
    }

    /// Counts a session from now on.
    pub(super) fn enter(&mut self, state: MemberState) {
        *self.held(state) += 1;
    }

    /// Stops counting a session.
    pub(super) fn withdraw(&mut self, state: MemberState) {
        let held = self.held(state);
        *held = held.saturating_sub(1);
    }

    /// Counts a session as departed.
    pub(super) fn leave(&mut self, state: MemberState, outcome: Option<Outcome>) {
        self.withdraw(state);
        let departed = if state.was_present() { &mut self.departed } else { &mut self.departed_idle };
        *departed.get_mut(outcome) += 1;
    }

    /// Takes back the departure of a session that was present and is back.
    pub(super) fn come_back(&mut self, outcome: Option<Outcome>) {
        let departed = self.departed.get_mut(outcome);
        *departed = departed.saturating_sub(1);
    }

    /// Resumes after the pod was lost: it lists its sessions again. Sessions that were present and are not listed have an
    /// unknown outcome; idle sessions are counted again.
    pub(super) fn resume(&mut self) {
        *self.departed.get_mut(None) += self.present + self.away;
        (self.present, self.away, self.held_idle) = (0, 0, 0);
    }

    fn held(&mut self, state: MemberState) -> &mut u64 {
        match state {
            MemberState::Idle => &mut self.held_idle,
            MemberState::Present => &mut self.present,
            MemberState::Away => &mut self.away,
        }
    }
}
