//! What may be asked of a list of sessions: filter, order, size and place. Read from texts, faults named.

use thiserror::Error;

use crate::paging::{Cursor, CursorError, Key};
use crate::session::SessionView;

/// The most sessions on a page.
pub const MAX_LIMIT: usize = 1000;

/// Why a query is refused; says what is allowed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The order names no field.
    #[error("sort must be one of {}, with - before it for descending", Field::names())]
    Sort,
    /// The limit is no number in range.
    #[error("limit must be a number from 1 to {MAX_LIMIT}")]
    Limit,
    /// The cursor does not fit.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// A field that sessions are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The id.
    SessionId,
    /// The user's name, capitals and small letters being the same.
    User,
    /// The pod's name.
    Pod,
    /// When it began.
    LoginTime,
    /// When it was last active.
    LastActivity,
    /// How long it lasts: the reverse of when it began, so that it does not move with time.
    DurationSeconds,
}

impl Field {
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

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// An order. Total: ids break ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// What is ordered by.
    pub field: Field,
    /// Whether the order is turned around.
    pub descending: bool,
}

impl Sort {
    /// Reads a field's name, `-` before it meaning descending.
    ///
    /// # Errors
    /// Where there is no such field.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let field = Field::ALL.into_iter().find(|field| field.as_str() == name).ok_or(QueryError::Sort)?;
        Ok(Self { field, descending })
    }

    pub(super) fn position(self, session: &SessionView) -> Cursor {
        let key = match self.field {
            Field::SessionId => Key::Number(0),
            Field::User => Key::Text(session.user.as_str().to_lowercase()),
            Field::Pod => Key::Text(session.pod.as_str().to_owned()),
            Field::LoginTime => Key::Number(session.login_time.as_millis()),
            Field::LastActivity => Key::Number(session.last_activity.as_millis()),
            Field::DurationSeconds => Key::Number(session.login_time.as_millis().saturating_neg()),
        };
        Cursor { key, id: session.id }
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.field.as_str())
    }
}

/// Which sessions are meant; an empty text means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pod: String,
    user: String,
    part: String,
}

impl Filter {
    /// Sessions of this pod and this user (both exact) with this part in their user or id, in capitals or not.
    pub fn new(pod: &str, user: &str, part: &str) -> Self {
        Self { pod: pod.into(), user: user.into(), part: part.trim().to_lowercase() }
    }

    /// Whether every session matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the session matches.
    pub fn matches(&self, session: &SessionView) -> bool {
        (self.pod.is_empty() || self.pod == session.pod.as_str())
            && (self.user.is_empty() || self.user == session.user.as_str())
            && (self.part.is_empty()
                || session.user.as_str().to_lowercase().contains(&self.part)
                || session.id.to_string().contains(&self.part))
    }
}

/// A question for one page of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which sessions.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// After which position.
    pub after: Option<Cursor>,
    /// At most how many; 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

impl Query {
    /// Reads a query. `None` and empty texts mean the default: oldest login first, `limit` rows, from the start.
    ///
    /// # Errors
    /// Where order, limit or cursor make no sense.
    pub fn parse(
        filter: Filter,
        sort: Option<&str>,
        limit: Option<&str>,
        cursor: Option<&str>,
        default_limit: usize,
    ) -> Result<Self, QueryError> {
        let sort = match sort.filter(|text| !text.is_empty()) {
            None => Sort { field: Field::LoginTime, descending: false },
            Some(text) => Sort::parse(text)?,
        };
        let limit = match limit.filter(|text| !text.is_empty()) {
            None => default_limit,
            Some(text) => text.parse().map_err(|_| QueryError::Limit)?,
        };
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(QueryError::Limit);
        }
        let mut query = Self { filter, sort, after: None, limit };
        if let Some(text) = cursor.filter(|text| !text.is_empty()) {
            query.after = Some(Cursor::decode(text, &query.scope())?);
        }
        Ok(query)
    }

    /// Writes a position of this query's list.
    pub fn cursor(&self, position: &Cursor) -> String {
        position.encode(&self.scope())
    }

    /// Spells out filter and order. Lengths keep `a` + `bc` apart from `ab` + `c`.
    fn scope(&self) -> String {
        let Filter { pod, user, part } = &self.filter;
        format!("fleet {} {}:{pod} {}:{user} {}:{part}", self.sort, pod.len(), user.len(), part.len())
    }
}
