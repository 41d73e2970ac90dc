//! A guest: a session that another pod owns, while a request or an event stream of it is served here.

use session_domain::shared::{Owner, SharedSession};
use session_domain::{PodName, SessionId, Timestamp, UserName};

use crate::event_streams::EventStreams;
use crate::notice::GuestNotice;

/// A session of another pod. It counts nowhere here.
#[derive(Debug)]
pub(crate) struct Guest {
    session: SharedSession,
    streams: EventStreams,
}

impl Guest {
    /// Takes in the session as the store has it. A time in the future comes from another pod's clock and is cut to `now`.
    pub(crate) fn new(mut session: SharedSession, owner: Owner, now: Timestamp) -> Self {
        session.last_activity = now;
        session.login_time = session.login_time.min(now);
        let streams = EventStreams::default();
        streams.set_owner_notice(owner.notice().map(|notice| GuestNotice::new(notice, now)));
        streams.set_owner_protects(session.protected);
        Self { session, streams }
    }

    pub(crate) const fn id(&self) -> SessionId {
        self.session.id
    }

    pub(crate) const fn user(&self) -> &UserName {
        &self.session.user
    }

    pub(crate) const fn login_time(&self) -> Timestamp {
        self.session.login_time
    }

    pub(crate) const fn last_activity(&self) -> Timestamp {
        self.session.last_activity
    }

    /// The pod that owns it.
    pub(crate) const fn owner(&self) -> &PodName {
        &self.session.pod
    }

    /// Its event streams on this pod.
    pub(crate) const fn streams(&self) -> &EventStreams {
        &self.streams
    }

    /// The session as it goes on under another id and user name.
    pub(crate) fn renamed(&self, id: SessionId, user: UserName) -> SharedSession {
        SharedSession { id, user, pinned: true, ..self.session.clone() }
    }
}
