//! Notices as clients see them: the payload of the `drain` event, and the state that every stream watches.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use session_domain::Timestamp;
use session_domain::lifecycle::{Notice, NoticeScope, Reason};
use session_domain::shared::OwnerNotice;

use crate::clock::millis;
use crate::config::{Config, ForcedEnd};
use crate::encoded_event::EncodedEvent;
use crate::store_health::StoreHealth;

/// Two deadlines that differ by less than this are the same: clocks of pods differ, and answers of a store take a while.
const DEADLINE_TOLERANCE: Duration = Duration::from_secs(2);

/// The payload of the `drain` event. Its times hold at the moment at which it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrainNotice {
    /// `shutdown` or `maintenance`.
    pub reason: &'static str,
    /// The text to show.
    pub message: String,
    /// Whole seconds left, rounded up.
    pub countdown: u64,
    /// Milliseconds left.
    pub remaining_ms: u64,
    /// When remaining sessions are force-closed, or move to another pod.
    pub forced_logout_at: Timestamp,
    /// The server's time, for clients whose clock is wrong.
    pub server_time: Timestamp,
    /// Whether the browser signs out by itself at the end.
    pub auto_logout: bool,
    /// Whether the session moves to another pod at the end: the user stays signed in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stays_signed_in: bool,
    /// Whether the session can move to another pod at any time: its page asks whether to move now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub moves: bool,
    /// Whether work of the session is in progress, and waited for until `forced_logout_at`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// For a protected session: how many milliseconds of the time left come after the deadline of the other sessions. 0: work that
    /// is not done by then is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
}

/// What happens to a session at the end of a countdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Whether browsers sign out by themselves.
    pub(crate) auto_logout: bool,
    /// Whether the session moves to another pod.
    pub(crate) stays_signed_in: bool,
    /// Whether it can move before the end.
    pub(crate) moves: bool,
}

impl Terms {
    /// With `FORCED_END=release` sessions outlive a shutdown of their pod, as long as the store takes writes. Maintenance concerns every
    /// pod, so that sessions cannot move.
    pub(crate) fn of(config: &Config, reason: Reason, is_handoff: bool, store: Option<StoreHealth>) -> Self {
        let stays_signed_in = reason == Reason::Shutdown
            && config.forced_end == ForcedEnd::Release
            && store.is_some_and(StoreHealth::is_writable);
        Self {
            auto_logout: config.auto_logout && !stays_signed_in,
            stays_signed_in,
            moves: is_handoff && stays_signed_in,
        }
    }
}

/// The notice that runs on the pod that owns a session, by the clock of the pod that serves it as a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuestNotice {
    pub(crate) reason: Reason,
    pub(crate) deadline: Timestamp,
    pub(crate) terms: Terms,
    /// How long after the deadline the owner waits for work in progress.
    pub(crate) task_grace: Duration,
}

impl GuestNotice {
    pub(crate) fn new(notice: OwnerNotice, now: Timestamp) -> Self {
        let OwnerNotice { reason, remaining, auto_logout, stays_signed_in, moves, task_grace } = notice;
        Self { reason, deadline: now.plus(remaining), terms: Terms { auto_logout, stays_signed_in, moves }, task_grace }
    }

    /// Whether a page that shows the one shows the other correctly.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        is_same_deadline(self.deadline, other.deadline)
            && (self.reason, self.terms, self.task_grace) == (other.reason, other.terms, other.task_grace)
    }
}

/// Whether two deadlines differ by no more than the clocks of two pods and the answers of a store do.
pub(crate) fn is_same_deadline(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) < DEADLINE_TOLERANCE
}

impl DrainNotice {
    pub(crate) fn new(reason: Reason, deadline: Timestamp, terms: Terms, now: Timestamp) -> Self {
        let remaining = deadline.since(now);
        Self {
            reason: reason.as_str(),
            message: message(reason, terms.moves, remaining),
            countdown: remaining.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
            remaining_ms: millis(remaining),
            forced_logout_at: deadline,
            server_time: now,
            auto_logout: terms.auto_logout,
            stays_signed_in: terms.stays_signed_in,
            moves: terms.moves,
            protected: false,
            grace_ms: None,
        }
    }

    /// The notice of a session with work in progress.
    pub(crate) fn protected(self, grace: Duration) -> Self {
        Self { protected: true, grace_ms: Some(millis(grace)), ..self }
    }
}

fn message(reason: Reason, moves: bool, remaining: Duration) -> String {
    let seconds = (remaining.as_millis() + 500) / 1000;
    match reason {
        Reason::Shutdown if moves => {
            format!("Server restarting in {seconds}s. You stay signed in. Please save your work.")
        }
        Reason::Shutdown => {
            format!("Server shutting down in {seconds}s. Please save your work and logout.")
        }
        Reason::Maintenance => "Maintenance mode activated. Please save your work and logout.".to_owned(),
    }
}

/// What every stream shows now, kept in one watch channel.
#[derive(Clone, Debug)]
pub(crate) enum Broadcast {
    /// No banner.
    Quiet,
    /// A countdown runs. The event is encoded once for all open streams.
    Running {
        /// The notice.
        notice: Notice,
        /// Which sessions it is shown to.
        scope: NoticeScope,
        /// What happens at its end.
        terms: Terms,
        /// The `drain` event.
        event: EncodedEvent,
    },
    /// A countdown was cancelled.
    Cancelled {
        /// The `drain-cancelled` event.
        event: EncodedEvent,
    },
}

impl Broadcast {
    pub(crate) fn running(notice: Notice, scope: NoticeScope, terms: Terms, now: Timestamp) -> Arc<Self> {
        let event = EncodedEvent::new("drain", &DrainNotice::new(notice.reason, notice.deadline, terms, now));
        Arc::new(Self::Running { notice, scope, terms, event })
    }

    pub(crate) fn cancelled(reason: Reason, now: Timestamp) -> Arc<Self> {
        let event = EncodedEvent::new(DrainCancelled::NAME, &DrainCancelled::new(reason, now));
        Arc::new(Self::Cancelled { event })
    }

    /// The notice that runs, which sessions it is shown to, and what happens at its end.
    pub(crate) fn running_notice(&self) -> Option<(Notice, NoticeScope, Terms)> {
        match self {
            Self::Running { notice, scope, terms, .. } => Some((*notice, *scope, *terms)),
            Self::Quiet | Self::Cancelled { .. } => None,
        }
    }
}

/// The payload of the `drain-cancelled` event.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct DrainCancelled {
    reason: &'static str,
    server_time: Timestamp,
}

impl DrainCancelled {
    /// The name of the event.
    pub(crate) const NAME: &'static str = "drain-cancelled";

    pub(crate) const fn new(reason: Reason, now: Timestamp) -> Self {
        Self { reason: reason.as_str(), server_time: now }
    }
}

#[cfg(test)]
mod tests {
    use session_domain::PodName;

    use super::*;

    #[test]
    fn the_message_rounds_and_the_countdown_rounds_up() {
        for (left_ms, message_seconds, countdown) in [(60_000, 60, 60), (59_400, 59, 60), (59_600, 60, 60), (0, 0, 0)] {
            let text = message(Reason::Shutdown, false, Duration::from_millis(left_ms));
            assert_eq!(text, format!("Server shutting down in {message_seconds}s. Please save your work and logout."));
            let terms = Terms { auto_logout: true, stays_signed_in: false, moves: false };
            let now = Timestamp::from_millis(5_000);
            let deadline = now.plus(Duration::from_millis(left_ms));
            let notice = DrainNotice::new(Reason::Shutdown, deadline, terms, now);
            assert_eq!((notice.message, notice.countdown, notice.remaining_ms), (text, countdown, left_ms));
        }
    }

    #[test]
    fn users_stay_signed_in_where_a_healthy_store_keeps_their_sessions_through_a_shutdown() {
        let healthy = Some(StoreHealth::Healthy { settling_until: Timestamp::default() });
        for (forced_end, reason, store, stays) in [
            (ForcedEnd::Release, Reason::Shutdown, healthy, true),
            (ForcedEnd::Release, Reason::Maintenance, healthy, false),
            (ForcedEnd::Release, Reason::Shutdown, Some(StoreHealth::Unavailable), false),
            (ForcedEnd::Release, Reason::Shutdown, Some(StoreHealth::ReadOnly), false),
            (ForcedEnd::Release, Reason::Shutdown, None, false),
            (ForcedEnd::Delete, Reason::Shutdown, healthy, false),
        ] {
            let config = Config { forced_end, ..Config::new(PodName::new("a").unwrap()) };
            let terms = Terms::of(&config, reason, true, store);
            assert_eq!(terms.moves, stays, "{forced_end:?} {reason:?} {store:?}");
            assert_eq!(
                (terms.stays_signed_in, terms.auto_logout),
                (stays, !stays),
                "{forced_end:?} {reason:?} {store:?}"
            );
        }
    }
}
