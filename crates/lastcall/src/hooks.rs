//! Callbacks for logins and ends of sessions. A panic in one is logged and goes no further: hooks run inside of the sweep and of the
//! drain, which have to live.

use std::panic::{AssertUnwindSafe, catch_unwind};

use session_domain::{Outcome, SessionId, Timestamp, UserName};
use tracing::error;

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
        call_all("on_login", &self.on_login, login);
    }

    pub(crate) fn end(&self, end: &SessionEnd) {
        call_all("on_end", &self.on_end, end);
    }
}

/// Calls every hook, also after one that panics.
fn call_all<T>(name: &'static str, hooks: &[Hook<T>], value: &T) {
    for hook in hooks {
        if catch_unwind(AssertUnwindSafe(|| hook(value))).is_err() {
            error!(hook = name, "a hook of the app panicked");
        }
    }
}
