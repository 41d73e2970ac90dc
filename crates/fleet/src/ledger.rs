//! What is kept as sessions come and go: who claims them, what the drains were like, how it went of late.

use super::claims::Claims;
use super::history::Drains;
use super::pod::Address;
use super::trend::Trend;
use session_domain::{Departure, SessionId, SessionView, Timestamp};

/// The ledger, written together.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) claims: Claims,
    pub(super) drains: Drains,
    pub(super) trend: Trend,
}

impl Ledger {
    /// The pod at an address has this session; a drain that runs there counts it from now on where `enters` says so.
    pub(super) fn claim(&mut self, at: &Address, session: SessionView, enters: bool, doubtful: bool, now: Timestamp) {
        self.drains.hold(at, &session, enters, now);
        self.claims.claim(at, session, doubtful);
    }

    /// The drain that runs at an address counts these sessions of its pod.
    pub(super) fn enter_drain<'a>(&mut self, at: &Address, ids: impl Iterator<Item = &'a SessionId>, now: Timestamp) {
        for session in ids.filter_map(|id| self.claims.claimed(at, *id)) {
            self.drains.hold(at, session, true, now);
        }
    }

    /// The pod at an address has this session no more.
    pub(super) fn withdraw(&mut self, at: &Address, id: SessionId, departure: Departure, now: Timestamp) {
        let user = self.claims.claimed(at, id).map(|session| &session.user);
        self.drains.part(at, id, user, departure, now);
        if let Departure::Ended(outcome) = departure {
            self.trend.count(outcome);
        }
        self.claims.withdraw(at, id);
    }
}
