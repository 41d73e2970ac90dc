//! The orders of a list of sessions.

use std::fmt;

use session_domain::SessionView;
use session_domain::paging::{Cursor, Key};

/// A field that sessions can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortField {
    /// The session id.
    SessionId,
    /// The user's name, without regard to case.
    User,
    /// The pod's name.
    Pod,
    /// When the session began.
    LoginTime,
    /// When the session was last active.
    LastActivity,
    /// How long the session has lasted: the reverse of the login time, so that positions do not move with time.
    DurationSeconds,
}

impl SortField {
    /// All fields, in the order of the API.
    pub const ALL: [Self; 6] =
        [Self::SessionId, Self::User, Self::Pod, Self::LoginTime, Self::LastActivity, Self::DurationSeconds];

    /// The field's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionId => "session_id",
            Self::User => "user",
            Self::Pod => "pod",
            Self::LoginTime => "login_time",
            Self::LastActivity => "last_activity",
            Self::DurationSeconds => "duration_seconds",
        }
    }

    /// All names, for error messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// An order of sessions. It is total: session ids break ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The field to sort by.
    pub field: SortField,
    /// Whether the whole order is reversed, ids included.
    pub descending: bool,
}

impl Sort {
    /// Parses the name of a field, with `-` before it for descending; `None` if there is no such field.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let field = SortField::ALL.into_iter().find(|field| field.as_str() == name)?;
        Some(Self { field, descending })
    }

    /// The position of a session in the ascending order.
    pub(crate) fn position(self, session: &SessionView) -> Cursor {
        let key = match self.field {
            SortField::SessionId => Key::Number(0),
            SortField::User => Key::Text(session.user.as_str().to_lowercase()),
            SortField::Pod => Key::Text(session.pod.as_str().to_owned()),
            SortField::LoginTime => Key::Number(session.login_time.as_millis()),
            SortField::LastActivity => Key::Number(session.last_activity.as_millis()),
            SortField::DurationSeconds => Key::Number(session.login_time.as_millis().saturating_neg()),
        };
        Cursor { key, id: session.id }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.field.as_str())
    }
}
