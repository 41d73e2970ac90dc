//! How a feed asks its client to move to another pod.

use std::sync::Arc;

use session_domain::lifecycle::Reason;
use tokio::time::{Instant, sleep_until};

use super::super::server_event::{Move, ServerEvent};
use super::{EventFeed, FeedEnd, Next, Stage};
use crate::clock::millis;
use crate::handoff::ASK_INTERVAL;

impl EventFeed {
    /// Asks the client to move, and again after a while where it stays.
    pub(super) fn ask_to_move(&mut self) -> Next {
        self.next_ask = Some(Instant::now() + ASK_INTERVAL);
        match self.move_event() {
            Some(event) => Next::Event(event),
            None => self.end(FeedEnd::Moves),
        }
    }

    /// Asks again, where another pod can adopt the session now.
    pub(super) fn on_next_ask(&mut self) -> Option<Next> {
        let service = Arc::clone(&self.session.state);
        if !service.is_moving_sessions() {
            self.next_ask = Some(Instant::now() + ASK_INTERVAL);
            return None;
        }
        service.record_asked_again(&self.session.served);
        Some(self.ask_to_move())
    }

    /// The last event of a stream that was opened here again. The end follows.
    pub(super) fn leave(&mut self) -> Next {
        self.stage = Stage::Ended(FeedEnd::Moves);
        match self.move_event() {
            Some(event) => Next::Event(event),
            None => Next::End(FeedEnd::Moves),
        }
    }

    /// The `move` event, while this pod stops. Once its users have gone, what is left of its time is that to its end.
    fn move_event(&self) -> Option<ServerEvent> {
        let state = &self.session.state;
        let (lifecycle, now) = (*state.lifecycle.borrow(), state.clock.now());
        let forced_logout_at = lifecycle.deadline().or_else(|| lifecycle.wakes_at())?;
        Some(ServerEvent::Move(Move {
            reason: Reason::Shutdown.as_str(),
            forced_logout_at,
            remaining_ms: millis(forced_logout_at.since(now)),
            server_time: now,
        }))
    }
}

/// Waits until `time`; for ever without one.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
