//! A query for one page of sessions: filter, order, limit and position.

use session_domain::paging::Cursor;

use crate::bounds::MAX_LIMIT;
use crate::filter::Filter;
use crate::query_error::QueryError;
use crate::rows::Row;
use crate::sort::{Sort, SortField};

/// Where a page lies in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageAnchor {
    /// At the start of the list.
    #[default]
    Start,
    /// Right after this position.
    After(Cursor),
    /// Right before this position. If that would not fill the page, at the start of the list.
    Before(Cursor),
    /// At the end of the list.
    End,
}

/// The value of `before` that requests the last page.
const END: &str = "end";

/// The parameters that say where a page begins or ends. At most one of them may be non-empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct CursorParams<'a> {
    /// The cursor after which the page begins.
    pub after: &'a str,
    /// The cursor before which the page ends, or `end` for the end of the list.
    pub before: &'a str,
}

/// A query for one page of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which sessions match.
    pub filter: Filter,
    /// Their order.
    pub sort: Sort,
    /// Where the page lies.
    pub anchor: PageAnchor,
    /// The greatest number of sessions on the page: 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

impl Query {
    /// Parses a query. `None` and empty texts mean the default: oldest login first, `default_limit` rows, from the start.
    ///
    /// # Errors
    /// If order, limit or cursor are not valid, or both cursors are given.
    pub fn parse(
        filter: Filter,
        sort: Option<&str>,
        limit: Option<&str>,
        cursors: CursorParams<'_>,
        default_limit: usize,
    ) -> Result<Self, QueryError> {
        let sort = match sort.filter(|text| !text.is_empty()) {
            None => Sort { field: SortField::LoginTime, descending: false },
            Some(text) => Sort::parse(text).ok_or(QueryError::Sort)?,
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
        query.anchor = match (cursors.after, cursors.before) {
            ("", "") => PageAnchor::Start,
            (after, "") => PageAnchor::After(decode(after)?),
            ("", END) => PageAnchor::End,
            ("", before) => PageAnchor::Before(decode(before)?),
            _ => return Err(QueryError::CursorAndBefore),
        };
        Ok(query)
    }

    /// Encodes a position in this query's list.
    pub fn cursor(&self, position: &Cursor) -> String {
        position.encode(&self.scope())
    }

    /// The position of a row in this query's list.
    pub fn position(&self, row: &Row) -> Cursor {
        self.sort.position(&row.session)
    }

    /// Spells out filter and order, which a cursor is bound to.
    fn scope(&self) -> String {
        format!("fleet {} {}", self.sort, self.filter.scope())
    }
}

#[cfg(test)]
mod tests;
