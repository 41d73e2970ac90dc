//! The count of one drain. Every session that the pod holds while it drains is counted in one place, so that the numbers of
//! a drain always add up: whoever was there is still present, has closed every page, or has left in one of the ways that
//! are counted; sessions in which nobody was present are counted apart.

use session_domain::Outcome;

/// How a session stands that the draining pod holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It has not been present since the drain began.
    Idle,
    /// It is present.
    Present,
    /// It was present in the drain, and is not any more: its pages are closed.
    Away,
}

impl Stand {
    /// How a session stands that is counted from now on.
    pub(crate) const fn first(is_present: bool) -> Self {
        if is_present { Self::Present } else { Self::Idle }
    }

    /// How it stands now.
    pub(crate) const fn next(self, is_present: bool) -> Self {
        match (self, is_present) {
            (_, true) => Self::Present,
            (Self::Present | Self::Away, false) => Self::Away,
            (Self::Idle, false) => Self::Idle,
        }
    }

    /// Whether the session belongs to those who were there.
    pub(super) const fn was_there(self) -> bool {
        !matches!(self, Self::Idle)
    }
}

/// The way that a session left: its outcome, where the pod said it.
pub(super) type Way = Option<Outcome>;

/// The count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) present: u64,
    pub(super) away: u64,
    held_idle: u64,
    left: Ways,
    left_idle: Ways,
}

/// Sessions by the way that they left; the last number is of those whose way is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ways([u64; Outcome::ALL.len() + 1]);

impl Ways {
    fn of(&mut self, way: Way) -> &mut u64 {
        &mut self.0[way.map_or(Outcome::ALL.len(), |outcome| outcome as usize)]
    }

    fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Tally {
    /// Sessions that were present at any time.
    pub(super) fn there(&self) -> u64 {
        self.present + self.away + self.left.sum()
    }

    /// Sessions that were held and never present.
    pub(super) fn idle(&self) -> u64 {
        self.held_idle + self.left_idle.sum()
    }

    /// Of those who were there, how many left that way.
    pub(super) fn left(&self, way: Way) -> u64 {
        self.left.0[way.map_or(Outcome::ALL.len(), |outcome| outcome as usize)]
    }

    /// A session is counted from now on.
    pub(super) fn enter(&mut self, stand: Stand) {
        *self.held(stand) += 1;
    }

    /// A session is not counted any more: it goes on under another id.
    pub(super) fn withdraw(&mut self, stand: Stand) {
        let held = self.held(stand);
        *held = held.saturating_sub(1);
    }

    /// A session has left.
    pub(super) fn leave(&mut self, stand: Stand, way: Way) {
        self.withdraw(stand);
        let ways = if stand.was_there() { &mut self.left } else { &mut self.left_idle };
        *ways.of(way) += 1;
    }

    /// A session that was there and had left that way is not counted as such: it is back.
    pub(super) fn come_back(&mut self, way: Way) {
        let left = self.left.of(way);
        *left = left.saturating_sub(1);
    }

    /// The pod was lost and forgotten, and is heard again: it lists anew what it holds. What became of those who were
    /// there and are not listed is not known; idle sessions are counted anew.
    pub(super) fn begin_anew(&mut self) {
        *self.left.of(None) += self.present + self.away;
        (self.present, self.away, self.held_idle) = (0, 0, 0);
    }

    fn held(&mut self, stand: Stand) -> &mut u64 {
        match stand {
            Stand::Idle => &mut self.held_idle,
            Stand::Present => &mut self.present,
            Stand::Away => &mut self.away,
        }
    }
}
