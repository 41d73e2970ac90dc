//! Handoff as clients see it: which streams are asked to move to another pod, and which end at once because they came back.
//!
//! The lifecycle machine gives sessions their turn. This module remembers when a session was asked last, also after it has moved: a page
//! that opens its stream again may be led back here by a proxy that has not noticed yet.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::lifecycle::State;
use session_domain::{SessionId, Timestamp};

use crate::service_state::ServiceState;
use crate::sessions::{LiveSession, ServedSession};

/// A stream that is opened within this time after its session was asked ends at once: the page tries again.
const REOPEN_WINDOW: Duration = Duration::from_secs(10);

/// How many streams of a session end like that. A page opens its stream once, and tries six times again: browsers keep up to six idle
/// connections to a pod.
const MAX_REOPENED: u32 = 7;

/// The pause before a session that stays is asked again.
pub(crate) const ASK_INTERVAL: Duration = Duration::from_secs(2);

/// How a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// As ever.
    Ordinary,
    /// It stays, and is asked again after [`ASK_INTERVAL`].
    AskedAgain,
    /// It is asked, and ends: the page opens it again, perhaps at another pod.
    Ends,
}

/// The sessions that were asked to move.
#[derive(Debug, Default)]
pub(crate) struct Handoff {
    asked: Mutex<HashMap<SessionId, Asked>>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Timestamp,
    /// Streams that ended because they were opened here again.
    reopened: u32,
}

impl Handoff {
    /// Records that a session is asked now.
    fn record(&self, id: SessionId, at: Timestamp) {
        let mut asked = self.asked.lock();
        asked.entry(id).and_modify(|asked| asked.at = at).or_insert(Asked { at, reopened: 0 });
    }

    /// How a stream of the session begins that is opened now. `is_due`: whether the session has to be asked, if it was not.
    fn open(&self, id: SessionId, is_due: bool, now: Timestamp) -> Opening {
        let mut asked = self.asked.lock();
        if !is_due && !asked.contains_key(&id) {
            return Opening::Ordinary;
        }
        let asked = asked.entry(id).or_insert(Asked { at: now, reopened: 0 });
        if now.since(asked.at) >= REOPEN_WINDOW {
            asked.reopened = 0;
            return Opening::AskedAgain;
        }
        if asked.reopened == MAX_REOPENED {
            return Opening::AskedAgain;
        }
        asked.reopened += 1;
        Opening::Ends
    }
}

impl ServiceState {
    /// Whether sessions are asked to move now: their turns have begun, and another pod can adopt them.
    pub(crate) fn is_moving_sessions(&self) -> bool {
        let lifecycle = *self.lifecycle.borrow();
        match lifecycle.state() {
            State::Draining { handoff: Some(handoff), .. } => handoff.is_moving,
            _ => self.hands_off() && self.can_move_sessions(),
        }
    }

    /// Whether the pod stops, and its sessions move to other pods where they can.
    fn hands_off(&self) -> bool {
        let lifecycle = *self.lifecycle.borrow();
        match lifecycle.state() {
            State::Draining { handoff, .. } => handoff.is_some(),
            State::Finishing { notice, .. } => notice.is_handoff,
            // The sessions are released.
            State::Propagating { .. } | State::Drained { .. } | State::Closing { .. } => {
                self.config.policy.handoff.is_some()
            }
            State::Serving
            | State::MaintenanceCountdown { .. }
            | State::MaintenanceFinishing { .. }
            | State::MaintenanceClosed
            | State::Stopped { .. } => false,
        }
    }

    /// Whether sessions can move: the store takes reads and writes, and another pod serves and is not full.
    pub(crate) fn can_move_sessions(&self) -> bool {
        self.sessions.sharing().is_some_and(|sharing| sharing.can_move_sessions())
    }

    /// Gives this number of sessions their turn, and asks those with a stream.
    pub(crate) fn ask_to_move(&self, turns: u64) {
        let now = self.clock.now();
        for session in self.registry.take_turns(turns, now) {
            if session.has_open_stream() {
                self.ask(&session, now);
            }
        }
    }

    fn ask(&self, session: &LiveSession, now: Timestamp) {
        self.handoff.record(session.id(), now);
        self.registry.mark_asked(session, now);
        session.attachment().ask_to_move();
    }

    /// Records that a stream is asked again.
    pub(crate) fn record_asked_again(&self, session: &ServedSession) {
        let now = self.clock.now();
        self.handoff.record(session.id(), now);
        if let ServedSession::Own(live) = session {
            self.registry.mark_asked(live, now);
        }
    }

    /// How an event stream of the session begins that is opened now.
    pub(crate) fn opening(&self, session: &ServedSession) -> Opening {
        if !self.hands_off() {
            return Opening::Ordinary;
        }
        let now = self.clock.now();
        let is_due = match session {
            ServedSession::Own(live) => live.had_turn(),
            // It lives at another pod, and this one stops.
            ServedSession::Guest(_) => true,
        };
        if !self.is_moving_sessions() {
            // Asked once sessions can move again.
            return if is_due { Opening::AskedAgain } else { Opening::Ordinary };
        }
        let opening = self.handoff.open(session.id(), is_due, now);
        if let (ServedSession::Own(live), Opening::Ends) = (session, opening) {
            self.registry.mark_asked(live, now);
        }
        opening
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_stream_that_comes_back_soon_ends_seven_times_and_then_stays() {
        let (handoff, id) = (Handoff::default(), SessionId::from_uuid(Uuid::from_u128(1)));
        assert_eq!(handoff.open(id, false, at(0)), Opening::Ordinary, "its turn is to come");
        handoff.record(id, at(1));
        let openings: Vec<_> = (0..8).map(|_| handoff.open(id, false, at(2))).collect();
        assert_eq!(openings[..7], [Opening::Ends; 7]);
        assert_eq!(openings[7], Opening::AskedAgain);
    }

    #[test]
    fn a_stream_that_comes_back_late_stays_and_one_whose_turn_passed_without_a_stream_is_asked() {
        let (handoff, id) = (Handoff::default(), SessionId::from_uuid(Uuid::from_u128(1)));
        handoff.record(id, at(1));
        assert_eq!(handoff.open(id, true, at(11)), Opening::AskedAgain);
        let streamless = SessionId::from_uuid(Uuid::from_u128(2));
        assert_eq!(handoff.open(streamless, true, at(1)), Opening::Ends);
        assert_eq!(handoff.open(streamless, true, at(10)), Opening::Ends);
        assert_eq!(handoff.open(streamless, true, at(11)), Opening::AskedAgain);
    }
}
