//! The session that a request belongs to, owned by this pod or by another.

use std::sync::Arc;

use session_domain::{SessionId, Timestamp, UserName};

use super::guest::Guest;
use super::live::LiveSession;
use crate::event_streams::EventStreams;

/// A session that a request belongs to.
#[derive(Clone, Debug)]
pub(crate) enum ServedSession {
    /// This pod owns it.
    Own(LiveSession),
    /// Another pod owns it; requests of it are served here.
    Guest(Arc<Guest>),
}

impl ServedSession {
    pub(crate) fn id(&self) -> SessionId {
        match self {
            Self::Own(live) => live.id(),
            Self::Guest(guest) => guest.id(),
        }
    }

    pub(crate) fn user(&self) -> UserName {
        match self {
            Self::Own(live) => live.user(),
            Self::Guest(guest) => guest.user().clone(),
        }
    }

    pub(crate) fn login_time(&self) -> Timestamp {
        match self {
            Self::Own(live) => live.login_time(),
            Self::Guest(guest) => guest.login_time(),
        }
    }

    pub(crate) fn last_activity(&self) -> Timestamp {
        match self {
            Self::Own(live) => live.last_activity(),
            Self::Guest(guest) => guest.last_activity(),
        }
    }

    /// Its event streams on this pod.
    pub(crate) fn streams(&self) -> &EventStreams {
        match self {
            Self::Own(live) => live.attachment(),
            Self::Guest(guest) => guest.streams(),
        }
    }
}
