//! What is kept as sessions come and go: who claims them, what the drains were like, how it went of late.

use super::claims::Claims;
use super::heard::Parting;
use super::history::History;
use super::pod::Address;
use super::trend::Trend;
use crate::ids::SessionId;
use crate::session::SessionView;
use crate::time::Timestamp;

/// The books, written together.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) claims: Claims,
    pub(super) history: History,
    pub(super) trend: Trend,
}

impl Books {
    /// The pod at an address has this session; `is_new`: since now.
    pub(super) fn claim(&mut self, at: &Address, session: SessionView, is_new: bool, doubtful: bool) {
        self.history.join(at, session.id, &session.user, is_new);
        self.claims.claim(at, session, doubtful);
    }

    /// The pod at an address has this session no more.
    pub(super) fn withdraw(&mut self, at: &Address, id: SessionId, parting: Parting, now: Timestamp) {
        self.history.part(at, id, parting, now);
        if let Parting::Ended(outcome) = parting {
            self.trend.count(outcome);
        }
        self.claims.withdraw(at, id);
    }
}
