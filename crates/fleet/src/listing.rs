//! One page of sessions that follows the fleet from view to view. It walks all sessions only if a row entered, left or
//! moved within the page.

use std::cmp::Ordering;

use session_domain::paging::{Cursor, directed};

use crate::query::{PageAnchor, Query};
use crate::rows::Row;
use crate::view::FleetView;

/// A page of sessions, and its position in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    query: Query,
    rows: Vec<Row>,
    before: u64,
    total: u64,
}

impl Listing {
    /// Selects the page of a query. Walks all sessions.
    pub fn new(query: Query, view: &FleetView) -> Self {
        let page = view.sessions(&query);
        let (before, total) = (page.before, page.total);
        let rows = page.rows.into_iter().cloned().collect();
        Self { query, rows, before, total }
    }

    /// Updates the page from the view `before` to the view `now`. Costs a walk over the changed sessions, and over all only
    /// if one of them enters, leaves or moves within the page.
    pub fn follow(&mut self, before: &FleetView, now: &FleetView) {
        if !self.moved(before, now) {
            for row in &mut self.rows {
                if let Some(fresh) = now.row(row.session.id) {
                    row.clone_from(fresh);
                }
            }
        } else {
            *self = Self::new(self.query.clone(), now);
        }
    }

    /// The query of the page.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The rows of the page, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The number of matching rows before the page.
    pub fn before(&self) -> u64 {
        self.before
    }

    /// The number of matching rows on all pages.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Where the previous page ends, if there is one.
    pub fn previous(&self) -> Option<Cursor> {
        self.rows.first().filter(|_| self.before > 0).map(|row| self.query.position(row))
    }

    /// Where the next page begins, if there is one.
    pub fn next(&self) -> Option<Cursor> {
        let is_last = self.before + self.rows.len() as u64 >= self.total;
        self.rows.last().filter(|_| !is_last).map(|row| self.query.position(row))
    }

    /// Counts the rows that were added or removed outside the page. Returns whether one was within it.
    fn moved(&mut self, before: &FleetView, now: &FleetView) -> bool {
        let Query { filter, .. } = &self.query;
        if filter.depends_on_reachability() && !now.has_same_reachability(before) {
            return true;
        }
        let (mut before_by, mut total_by) = (0_i64, 0_i64);
        for (then, this) in now.changes(before) {
            let was =
                then.filter(|row| filter.matches(row, || before.is_stale(row))).map(|row| self.query.position(row));
            let is = this.filter(|row| filter.matches(row, || now.is_stale(row))).map(|row| self.query.position(row));
            if was == is {
                continue;
            }
            for (position, by) in [(was, -1), (is, 1)] {
                let Some(position) = position else { continue };
                total_by += by;
                match self.side(&position) {
                    Ordering::Less => before_by += by,
                    Ordering::Equal => return true,
                    Ordering::Greater => {}
                }
            }
        }
        self.before = self.before.saturating_add_signed(before_by);
        self.total = self.total.saturating_add_signed(total_by);
        false
    }

    /// Whether a position lies before the page, on it, or after it. For a page that is found from its end, every position
    /// counts as on the page, since any change may move it.
    fn side(&self, position: &Cursor) -> Ordering {
        let compare = |other: &Cursor| directed(position, other, self.query.sort.descending);
        match &self.query.anchor {
            PageAnchor::Before(_) | PageAnchor::End => return Ordering::Equal,
            PageAnchor::After(after) if compare(after) != Ordering::Greater => return Ordering::Less,
            PageAnchor::After(_) | PageAnchor::Start => {}
        }
        let is_full = self.rows.len() == self.query.limit;
        let last = self.rows.last().filter(|_| is_full).map(|row| self.query.position(row));
        match last {
            Some(last) if compare(&last) == Ordering::Greater => Ordering::Greater,
            Some(_) | None => Ordering::Equal,
        }
    }
}

#[cfg(test)]
mod tests;
