//! What may be asked of a list of sessions: filter, order, size and place. Read from texts, faults named.

use thiserror::Error;

use super::filter::{Filter, SessionState};
use super::rows::Row;
use session_domain::SessionView;
use session_domain::paging::{Cursor, CursorError, Key};

/// The most sessions on a page.
pub const MAX_LIMIT: usize = 1000;

/// Why a query is refused; says what is allowed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The order names no field.
    #[error("sort must be one of {}, with - before it for descending", SortField::names())]
    Sort,
    /// The limit is no number in range.
    #[error("limit must be a number from 1 to {MAX_LIMIT}")]
    Limit,
    /// There is no such state.
    #[error("state must be one of {}", SessionState::names())]
    State,
    /// It is neither true nor false.
    #[error("connected must be true or false")]
    Connected,
    /// A page cannot both begin and end somewhere.
    #[error("give cursor or before, not both")]
    CursorAndBefore,
    /// The cursor does not fit.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// A field that sessions are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortField {
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

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// An order. Total: ids break ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// What is ordered by.
    pub field: SortField,
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
        let field = SortField::ALL.into_iter().find(|field| field.as_str() == name).ok_or(QueryError::Sort)?;
        Ok(Self { field, descending })
    }

    pub(super) fn position(self, session: &SessionView) -> Cursor {
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

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.field.as_str())
    }
}

/// Where a page lies in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageAnchor {
    /// At the start.
    #[default]
    Start,
    /// Right after a position.
    After(Cursor),
    /// Right before a position; where that would not fill a page, at the start.
    Before(Cursor),
    /// At the end.
    End,
}

/// How the last page is asked for.
const END: &str = "end";

/// A place as it is written: where a page begins, or where it ends. At most one of them is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct CursorParams<'a> {
    /// After which cursor.
    pub after: &'a str,
    /// Before which cursor; `end` is the end of the list.
    pub before: &'a str,
}

/// A question for one page of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which sessions.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Where in the list.
    pub anchor: PageAnchor,
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
        asked: CursorParams<'_>,
        default_limit: usize,
    ) -> Result<Self, QueryError> {
        let sort = match sort.filter(|text| !text.is_empty()) {
            None => Sort { field: SortField::LoginTime, descending: false },
            Some(text) => Sort::parse(text)?,
        };
        let limit = match limit.filter(|text| !text.is_empty()) {
            None => default_limit,
            Some(text) => text.parse().map_err(|_| QueryError::Limit)?,
        };
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(QueryError::Limit);
        }
        let mut query = Self { filter, sort, anchor: PageAnchor::Start, limit };
        let decode = |text| Cursor::decode(text, &query.scope());
        query.anchor = match (asked.after, asked.before) {
            ("", "") => PageAnchor::Start,
            (after, "") => PageAnchor::After(decode(after)?),
            ("", END) => PageAnchor::End,
            ("", before) => PageAnchor::Before(decode(before)?),
            _ => return Err(QueryError::CursorAndBefore),
        };
        Ok(query)
    }

    /// Writes a position of this query's list.
    pub fn cursor(&self, position: &Cursor) -> String {
        position.encode(&self.scope())
    }

    /// The position of a row in this query's list.
    pub fn position(&self, row: &Row) -> Cursor {
        self.sort.position(&row.session)
    }

    /// Spells out filter and order.
    fn scope(&self) -> String {
        format!("fleet {} {}", self.sort, self.filter.scope())
    }
}
