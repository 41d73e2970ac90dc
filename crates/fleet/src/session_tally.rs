//! Counts of the sessions at one address, kept up to date with every change.

use session_domain::SessionView;

/// How many of the sessions at one address are present, have work in progress, were asked to move, and have WebSockets open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTally {
    /// The sessions, each id once in the whole fleet.
    pub sessions: u64,
    /// Those that are present.
    pub present: u64,
    /// Those with work in progress that a drain waits for.
    pub protected: u64,
    /// Those that are present although they were asked to move to another pod.
    pub asked_to_move: u64,
    /// The WebSockets that they have open.
    pub websockets: u64,
}

impl SessionTally {
    pub(crate) fn add(&mut self, session: &SessionView) {
        self.sessions += 1;
        self.present += u64::from(session.is_present());
        self.protected += u64::from(session.is_protected());
        self.asked_to_move += u64::from(stays_asked(session));
        self.websockets += u64::from(session.websockets);
    }

    pub(crate) fn subtract(&mut self, session: &SessionView) {
        self.sessions -= 1;
        self.present -= u64::from(session.is_present());
        self.protected -= u64::from(session.is_protected());
        self.asked_to_move -= u64::from(stays_asked(session));
        self.websockets -= u64::from(session.websockets);
    }
}

/// Whether the session is present although it was asked to move.
fn stays_asked(session: &SessionView) -> bool {
    session.asked_to_move && session.is_present()
}
