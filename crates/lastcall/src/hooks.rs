//! What an app is told of logins and ends of sessions, while they happen.

use session_domain::{Outcome, SessionId, Timestamp, UserName};

/// A login: a session has started on this pod, or its user was named, which gave the session another id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The session's id from now on.
    pub session_id: SessionId,
    /// The id that this one replaces, where the session was there before.
    pub replaces: Option<SessionId>,
    /// The user: anonymous where a newcomer was not named yet.
    pub user: UserName,
    /// When the session began.
    pub login_time: Timestamp,
}

/// The end of a session on this pod. Each session ends once, on one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionEnd {
    /// The session's id at its end.
    pub session_id: SessionId,
    /// Its user.
    pub user: UserName,
    /// How it ended.
    pub outcome: Outcome,
}

type Hook<T> = Box<dyn Fn(&T) + Send + Sync>;

/// The hooks of a handle.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) on_login: Vec<Hook<Login>>,
    pub(crate) on_end: Vec<Hook<SessionEnd>>,
}

impl Hooks {
    pub(crate) fn login(&self, login: &Login) {
        self.on_login.iter().for_each(|hook| hook(login));
    }

    pub(crate) fn end(&self, end: &SessionEnd) {
        self.on_end.iter().for_each(|hook| hook(end));
    }
}
