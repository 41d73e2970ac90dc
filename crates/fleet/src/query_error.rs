//! Why a query for sessions is refused.

use session_domain::paging::CursorError;
use thiserror::Error;

use crate::bounds::MAX_LIMIT;
use crate::session_state::SessionState;
use crate::sort::SortField;

/// Explains why a query is refused. The message says what is allowed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// `sort` names no field.
    #[error("sort must be one of {}, with - before it for descending", SortField::names())]
    Sort,
    /// `limit` is not a number from 1 to [`MAX_LIMIT`].
    #[error("limit must be a number from 1 to {MAX_LIMIT}")]
    Limit,
    /// `state` names no state.
    #[error("state must be one of {}", SessionState::names())]
    State,
    /// `connected` is neither `true` nor `false`.
    #[error("connected must be true or false")]
    Connected,
    /// Both `cursor` and `before` are given.
    #[error("give cursor or before, not both")]
    CursorAndBefore,
    /// The cursor is damaged or belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}
