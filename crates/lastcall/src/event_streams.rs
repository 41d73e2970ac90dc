//! The open event streams and WebSockets of one session, and what all of them have to know.
//!
//! Each session has one watch channel, whatever the number of its streams. Those of a kind are numbered in the order in which they
//! open, so one number says which of them are evicted: all up to it.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use session_domain::Timestamp;
use tokio::sync::watch;

use crate::notice::GuestNotice;

/// What a stream of events is sent on. A session may have as many of one kind as of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamKind {
    EventStream,
    WebSocket,
    /// An upgraded connection that the app serves itself. The app bounds their number.
    Tunnel,
}

impl StreamKind {
    /// How many kinds there are.
    const COUNT: usize = 3;
}

/// Why the streams of a session are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The session was force-closed.
    Forced,
    /// Its user has logged out.
    Logout,
    /// It was idle for too long.
    Expired,
    /// It goes on at another pod. An event stream ends without an event: the page reopens it and finds the session there. A WebSocket of
    /// a pod that stops stays open until its own moment of the last seconds.
    Moved,
}

impl CloseReason {
    /// The `reason` of the `session-ended` event, where that event is sent.
    pub(crate) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Forced => Some("forced"),
            Self::Logout => Some("logout"),
            Self::Expired => Some("expired"),
            Self::Moved => None,
        }
    }
}

/// What every stream of a session has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamState {
    /// The number of logins so far. Each gives the session another id and another user name.
    pub(crate) logins: u32,
    /// Of each kind, the streams up to this number are evicted.
    evicted_through: [u64; StreamKind::COUNT],
    /// Why all of them are closed.
    closed: Option<CloseReason>,
    /// Whether the session has protected work in progress on this pod.
    protected: bool,
    /// How often the session was asked to move to another pod. Its streams are asked again by themselves.
    pub(crate) asks: u32,
    /// Whether the session was asked to move, is still here, and is shown the notice before the others are.
    is_staying: bool,
    /// For a session of another pod: whether that pod protects it.
    owner_protects: bool,
    /// For a session of another pod: the notice that runs on that pod.
    pub(crate) owner_notice: Option<GuestNotice>,
}

impl StreamState {
    /// Why streams of this kind are closed. A WebSocket and a tunnel belong to the pod that holds them: where its session goes on at another pod, a pod
    /// that is stopping closes them at their own moments. A pod that goes on serving closes them at once, because it has no such moment.
    pub(crate) fn closed(&self, kind: StreamKind, is_stopping: bool) -> Option<CloseReason> {
        let stays = kind != StreamKind::EventStream && is_stopping;
        self.closed.filter(|reason| !(stays && *reason == CloseReason::Moved))
    }

    /// Whether the session goes on at another pod.
    pub(crate) fn has_moved(&self) -> bool {
        self.closed == Some(CloseReason::Moved)
    }

    /// Whether the session has protected work in progress, at any pod.
    const fn is_protected(&self) -> bool {
        self.protected || self.owner_protects
    }

    /// Whether the stream of this kind and number is evicted.
    pub(crate) const fn is_evicted(&self, kind: StreamKind, number: u64) -> bool {
        self.evicted_through[kind as usize] >= number
    }
}

/// The open event streams and WebSockets of one session.
#[derive(Debug, Default)]
pub(crate) struct EventStreams {
    state: watch::Sender<StreamState>,
    open: Mutex<[OpenStreams; StreamKind::COUNT]>,
    /// Until when the first stream is expected. Other pods treat it as open already.
    expected_until: Timestamp,
}

#[derive(Debug, Default)]
struct OpenStreams {
    last: u64,
    numbers: BTreeSet<u64>,
}

impl EventStreams {
    /// No stream yet, and the first one expected before `until`.
    pub(crate) fn expected(until: Timestamp) -> Self {
        Self { expected_until: until, ..Self::default() }
    }

    /// Whether the first stream is still expected.
    pub(crate) fn is_expected(&self, now: Timestamp) -> bool {
        now < self.expected_until && self.open.lock().iter().all(|open| open.last == 0)
    }

    /// Whether any is open.
    pub(crate) fn any_open(&self) -> bool {
        self.open.lock().iter().any(|open| !open.numbers.is_empty())
    }

    /// Opens a stream and returns its number. Evicts the oldest of its kind where more than `max` are open then.
    pub(crate) fn open(&self, kind: StreamKind, max: usize) -> (u64, watch::Receiver<StreamState>) {
        let mut open = self.open.lock();
        let open = &mut open[kind as usize];
        open.last += 1;
        let number = open.last;
        open.numbers.insert(number);
        let receiver = self.state.subscribe();
        if open.numbers.len() > max
            && let Some(oldest) = open.numbers.pop_first()
        {
            self.state.send_modify(|state| state.evicted_through[kind as usize] = oldest);
        }
        (number, receiver)
    }

    /// Follows what the streams have to know, without being one.
    pub(crate) fn subscribe(&self) -> watch::Receiver<StreamState> {
        self.state.subscribe()
    }

    /// Records that the stream of this kind and number has closed.
    pub(crate) fn record_closed(&self, kind: StreamKind, number: u64) {
        self.open.lock()[kind as usize].numbers.remove(&number);
    }

    /// Records a login: every stream greets its user anew.
    pub(crate) fn record_login(&self) {
        self.state.send_modify(|state| state.logins += 1);
    }

    /// Whether the session has protected work in progress, here or as far as its owner knows.
    pub(crate) fn is_protected(&self) -> bool {
        self.state.borrow().is_protected()
    }

    /// Records whether the pod that owns the session protects it. Wakes the streams only where that changes what they show.
    pub(crate) fn set_owner_protects(&self, protects: bool) {
        self.state.send_if_modified(|state| {
            let before = state.is_protected();
            state.owner_protects = protects;
            state.is_protected() != before
        });
    }

    /// Records whether the session has protected work in progress. Asks for it under the lock, so that the last call records the
    /// last answer.
    pub(crate) fn update_protected(&self, is_protected: impl FnOnce() -> bool) {
        self.state.send_if_modified(|state| {
            let before = state.is_protected();
            state.protected = is_protected();
            state.is_protected() != before
        });
    }

    /// Closes every stream, and those that are opened later.
    pub(crate) fn close_all(&self, reason: CloseReason) {
        self.state.send_modify(|state| state.closed = Some(reason));
    }

    /// Asks every stream to move to another pod, and closes every WebSocket that is open.
    pub(crate) fn ask_to_move(&self) {
        self.state.send_modify(|state| state.asks += 1);
    }

    /// How often the session was asked to move.
    pub(crate) fn asks(&self) -> u32 {
        self.state.borrow().asks
    }

    /// Shows the notice of a handoff to this session, though not to others yet.
    pub(crate) fn mark_staying(&self) {
        self.state.send_modify(|state| state.is_staying = true);
    }

    /// Whether the session is shown the notice of a handoff though others are not.
    pub(crate) fn is_staying(&self) -> bool {
        self.state.borrow().is_staying
    }

    /// Whether the session goes on at another pod.
    pub(crate) fn has_moved(&self) -> bool {
        self.state.borrow().has_moved()
    }

    /// Whether [`EventStreams::close_all`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.borrow().closed.is_some()
    }

    /// The notice that runs on the pod that owns the session.
    pub(crate) fn owner_notice(&self) -> Option<GuestNotice> {
        self.state.borrow().owner_notice
    }

    /// Sets the notice that runs on the pod that owns the session. Wakes the streams only where it differs by more than the
    /// clocks of two pods do.
    pub(crate) fn set_owner_notice(&self, notice: Option<GuestNotice>) {
        self.state.send_if_modified(|state| {
            let same = match (&state.owner_notice, &notice) {
                (Some(before), Some(after)) => before.is_same(after),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !same {
                state.owner_notice = notice;
            }
            !same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::StreamKind::{EventStream, WebSocket};
    use super::*;

    #[test]
    fn one_stream_too_many_evicts_the_oldest_of_its_kind_that_is_still_open() {
        let streams = EventStreams::default();
        let (first, _) = streams.open(EventStream, 2);
        let (second, _) = streams.open(EventStream, 2);
        streams.record_closed(EventStream, first);
        let (socket, _) = streams.open(WebSocket, 2);
        let (_third, state) = streams.open(EventStream, 2);
        assert!(!state.borrow().is_evicted(EventStream, second), "there was room");
        let (fourth, state) = streams.open(EventStream, 2);
        assert!(state.borrow().is_evicted(EventStream, second));
        assert!(!state.borrow().is_evicted(EventStream, fourth));
        assert!(!state.borrow().is_evicted(WebSocket, socket), "another kind");
    }
}
