//! Lists in pages: the rows of a page, the number of matching rows, and the cursor of the next page.
//!
//! All lists of sessions use it, on one pod and across pods. The caller gives each row a [`Key`]; the session id breaks
//! ties, so the order is total. A page begins *after* a position in that order, not at a row number: rows that are added
//! or removed between two pages shift nothing, and a row that stays and keeps its key is returned exactly once. If keys
//! change (the last activity does), a row may be returned twice or skipped.
//!
//! A cursor is opaque, made of `[A-Za-z0-9_-]` only, and bound to a *scope*: a text that spells out order and filter. It is
//! refused in every other scope. It is a position, not a secret, and is not signed.

mod cursor;
mod page;
#[cfg(test)]
mod tests;

pub use cursor::{Cursor, CursorError, Key};
pub use page::{Page, directed, page, page_before};
