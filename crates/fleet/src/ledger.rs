//! What the fleet records of sessions: which pods claim them, how they left during drains, and the trend.

use session_domain::{Departure, Outcome, SessionId, SessionView, Timestamp};

use crate::address::Address;
use crate::claims::Claims;
use crate::history::Drains;
use crate::moves::Moves;
use crate::trend::Trend;

/// Claims, drains, moves and trend, which change together.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) claims: Claims,
    pub(crate) drains: Drains,
    pub(crate) moves: Moves,
    pub(crate) trend: Trend,
}

impl Ledger {
    /// Records that the pod at an address holds this session. A drain that runs there counts it from now on if `enters`.
    pub(crate) fn claim(&mut self, at: &Address, session: SessionView, enters: bool, doubtful: bool, now: Timestamp) {
        self.drains.hold(at, &session, enters, now);
        let id = session.id;
        self.change_claims(id, |claims| claims.claim(at, session, doubtful));
    }

    /// Counts these sessions of the pod in the drain that runs at its address.
    pub(crate) fn enter_drain<'a>(&mut self, at: &Address, ids: impl Iterator<Item = &'a SessionId>, now: Timestamp) {
        for session in ids.filter_map(|id| self.claims.claimed(at, *id)) {
            self.drains.hold(at, session, true, now);
        }
    }

    /// Records that the pod at an address no longer holds this session.
    pub(crate) fn withdraw(&mut self, at: &Address, id: SessionId, departure: Departure, now: Timestamp) {
        let user = self.claims.claimed(at, id).map(|session| &session.user);
        self.drains.leave(at, id, user, departure, now);
        if let Departure::Ended(outcome) = departure {
            self.trend.count(outcome);
        }
        self.change_claims(id, |claims| claims.withdraw(at, id));
        if departure == Departure::Ended(Outcome::Moved) && self.drains.is_shutdown(at) {
            self.moves.follow(id, at, self.claims.holder(id));
        }
    }

    /// Changes the claims of a session, and where it is found if it is followed.
    fn change_claims(&mut self, id: SessionId, change: impl FnOnce(&mut Claims)) {
        if !self.moves.follows(id) {
            return change(&mut self.claims);
        }
        let before = self.claims.holder(id).cloned();
        change(&mut self.claims);
        self.moves.change_holder(id, before.as_ref(), self.claims.holder(id));
    }
}
