//! What the fleet records of sessions: which pods claim them, how they left during drains, and the trend.

use session_domain::{Departure, SessionId, SessionView, Timestamp};

use crate::address::Address;
use crate::claims::Claims;
use crate::history::Drains;
use crate::trend::Trend;

/// Claims, drains and trend, which change together.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) claims: Claims,
    pub(crate) drains: Drains,
    pub(crate) trend: Trend,
}

impl Ledger {
    /// Records that the pod at an address holds this session. A drain that runs there counts it from now on if `enters`.
    pub(crate) fn claim(&mut self, at: &Address, session: SessionView, enters: bool, doubtful: bool, now: Timestamp) {
        self.drains.hold(at, &session, enters, now);
        self.claims.claim(at, session, doubtful);
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
        self.claims.withdraw(at, id);
    }
}
