//! The moment at which a WebSocket is closed before a countdown ends: each at its own in the last seconds, so that the clients do not
//! all reconnect at once. They are the seconds in which browsers sign out by themselves (`assets/script/drain.js`).

use std::sync::Arc;
use std::time::Duration;

use session_domain::Timestamp;
use session_domain::lifecycle::{Lifecycle, Reason, State};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::session_end::{maintenance, service_restart};
use crate::event_streams::StreamState;
use crate::notice::Broadcast;
use crate::running_notice::RunningNotice;
use crate::service_state::ServiceState;
use crate::session::Session;
use crate::sessions::ServedSession;

/// How long before the end of a countdown WebSockets are closed.
const LEAD: std::ops::Range<Duration> = Duration::from_secs(1)..Duration::from_secs(4);

/// A shorter countdown shortens the lead in proportion.
const FULL_LEAD_FROM: Duration = Duration::from_secs(20);

/// A WebSocket that is opened so shortly before the end stays until the end.
const NO_LEAD_BELOW: Duration = Duration::from_secs(1);

/// Clocks of pods differ by less than this: a deadline that differs less is the same.
const DEADLINE_TOLERANCE: Duration = Duration::from_secs(2);

/// Waits for the moment of one WebSocket.
pub(super) struct ClosingMoment {
    service: Arc<ServiceState>,
    /// None where the connection belongs to no session.
    session: Option<SessionMoment>,
    broadcast: watch::Receiver<Arc<Broadcast>>,
    lifecycle: watch::Receiver<Lifecycle>,
    /// Where in the last seconds the moment lies, from 0 to 1.
    place: f64,
    planned: Option<Planned>,
}

/// The session of a WebSocket.
struct SessionMoment {
    served: ServedSession,
    streams: watch::Receiver<StreamState>,
    /// How often the session was asked to move when the WebSocket was opened. It is closed at the next time.
    asks: u32,
}

impl SessionMoment {
    fn has_moved(&self) -> bool {
        self.streams.borrow().has_moved()
    }
}

/// The end that is in sight.
#[derive(Clone, Copy, Debug)]
struct Planned {
    end: EndInSight,
    /// `None` where the end is too near.
    at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct EndInSight {
    reason: Reason,
    deadline: Timestamp,
}

impl EndInSight {
    fn is_same(self, other: Self) -> bool {
        let apart = self.deadline.since(other.deadline).max(other.deadline.since(self.deadline));
        self.reason == other.reason && apart < DEADLINE_TOLERANCE
    }
}

impl ClosingMoment {
    pub(super) fn new(session: &Session) -> Self {
        let asks = session.served.streams().asks();
        Self::of(&session.state, Some((session.served.clone(), asks)))
    }

    /// The moment of a connection that may belong to no session; with how often its session had been asked to move when it was opened.
    pub(super) fn of(service: &Arc<ServiceState>, session: Option<(ServedSession, u32)>) -> Self {
        let session = session.map(|(served, asks)| {
            let streams = served.streams().subscribe();
            SessionMoment { served, streams, asks }
        });
        Self {
            broadcast: service.broadcast.subscribe(),
            lifecycle: service.lifecycle.subscribe(),
            place: fastrand::f64(),
            planned: None,
            service: Arc::clone(service),
            session,
        }
    }

    /// Waits for the moment, and gives the frame to close with. Without a countdown it waits for ever.
    ///
    /// # Cancel safety
    /// Cancel safe: the moment stays the same.
    pub(super) async fn reached(&mut self) -> CloseFrame {
        loop {
            // Seen before the end is looked for: what comes later wakes.
            self.broadcast.mark_unchanged();
            self.lifecycle.mark_unchanged();
            if let Some(session) = &mut self.session {
                session.streams.mark_unchanged();
                if session.streams.borrow().asks != session.asks {
                    return service_restart();
                }
            } else if matches!(self.lifecycle.borrow().state(), State::MaintenanceClosed) {
                return maintenance();
            }
            self.plan();
            let planned = self.planned;
            let moment = async {
                match planned {
                    Some(Planned { end, at: Some(at) }) => {
                        sleep_until(at).await;
                        end.reason
                    }
                    Some(Planned { at: None, .. }) | None => std::future::pending().await,
                }
            };
            // The senders live as long as the state and the session, which are held here.
            tokio::select! {
                reason = moment => return match reason {
                    Reason::Shutdown => service_restart(),
                    Reason::Maintenance => maintenance(),
                },
                _ = self.broadcast.changed() => {}
                () = changed(self.session.as_mut().map(|session| &mut session.streams)) => {}
                _ = self.lifecycle.changed() => {}
            }
        }
    }

    fn plan(&mut self) {
        let Some(end) = self.end_in_sight() else {
            self.planned = None;
            return;
        };
        if self.planned.is_some_and(|planned| planned.end.is_same(end)) {
            return;
        }
        let clock = &self.service.clock;
        let remaining = end.deadline.since(clock.now());
        let at = lead(remaining, self.place).map(|lead| clock.instant_of(end.deadline) - lead);
        self.planned = Some(Planned { end, at });
    }

    /// The end of the countdown that runs for the session; for guests that a stopping pod still serves, the end of the process.
    /// Where the session goes on at another pod, what counts is the shutdown of this pod, which holds the WebSocket. A connection
    /// without a session is served until maintenance begins, or to the end of the process.
    fn end_in_sight(&self) -> Option<EndInSight> {
        let has_moved = self.session.as_ref().is_some_and(SessionMoment::has_moved);
        if let Some(session) = &self.session
            && !has_moved
            && let Some(RunningNotice { reason, deadline, .. }) = RunningNotice::of(&self.service, &session.served)
        {
            return Some(EndInSight { reason, deadline });
        }
        match self.lifecycle.borrow().state() {
            State::Draining { notice, .. } if has_moved => {
                Some(EndInSight { reason: Reason::Shutdown, deadline: notice.deadline })
            }
            State::Finishing { until, .. } | State::Propagating { until, .. } | State::Closing { until, .. } => {
                Some(EndInSight { reason: Reason::Shutdown, deadline: until })
            }
            State::MaintenanceCountdown { notice, .. } if self.session.is_none() => {
                Some(EndInSight { reason: Reason::Maintenance, deadline: notice.deadline })
            }
            State::Serving
            | State::MaintenanceCountdown { .. }
            | State::MaintenanceFinishing { .. }
            | State::MaintenanceClosed
            | State::Draining { .. }
            | State::Drained { .. }
            | State::Stopped { .. } => None,
        }
    }
}

/// Waits until the streams of a session change; without a session for ever. The sender lives as long as the session.
pub(super) async fn changed(streams: Option<&mut watch::Receiver<StreamState>>) {
    match streams {
        Some(streams) => _ = streams.changed().await,
        None => std::future::pending().await,
    }
}

/// How long before the end of a countdown with `remaining` time a WebSocket is closed.
fn lead(remaining: Duration, place: f64) -> Option<Duration> {
    if remaining < NO_LEAD_BELOW {
        return None;
    }
    let share = (remaining.as_secs_f64() / FULL_LEAD_FROM.as_secs_f64()).min(1.0);
    Some((LEAD.start + (LEAD.end - LEAD.start).mul_f64(place)).mul_f64(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_lies_in_the_last_seconds_and_in_those_of_a_short_countdown_in_proportion() {
        let seconds = Duration::from_secs_f64;
        for (remaining, place, expected) in [
            (60.0, 0.0, Some(1.0)),
            (60.0, 1.0, Some(4.0)),
            (10.0, 0.0, Some(0.5)),
            (10.0, 1.0, Some(2.0)),
            (1.0, 1.0, Some(0.2)),
            (0.9, 1.0, None),
        ] {
            assert_eq!(lead(seconds(remaining), place), expected.map(seconds), "{remaining} {place}");
        }
    }
}
