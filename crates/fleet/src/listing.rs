//! One page of the list of sessions that stays true from view to view without a walk over all of them, unless a row that
//! matters to the page came, went or moved.

use std::cmp::Ordering;

use super::query::{PageAnchor, Query};
use super::rows::Row;
use super::view::FleetView;
use session_domain::paging::{Cursor, directed};

/// A page of sessions, and where it inconsistencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    query: Query,
    rows: Vec<Row>,
    before: u64,
    total: u64,
}

impl Listing {
    /// The page that a query asks for. Walks all sessions.
    pub fn new(query: Query, view: &FleetView) -> Self {
        let page = view.sessions(&query);
        let (before, total) = (page.before, page.total);
        let rows = page.rows.into_iter().cloned().collect();
        Self { query, rows, before, total }
    }

    /// Makes it the page of `now`, where it was that of `before`. Looks at the sessions that have changed, and walks all
    /// only where one of them enters, leaves or moves within the page.
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

    /// What was asked.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The rows of the page, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many matching rows stand before the page.
    pub fn before(&self) -> u64 {
        self.before
    }

    /// How many rows match.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Where the page before ends, if there is one.
    pub fn previous(&self) -> Option<Cursor> {
        self.rows.first().filter(|_| self.before > 0).map(|row| self.query.position(row))
    }

    /// Where the page behind begins, if there is one.
    pub fn next(&self) -> Option<Cursor> {
        let is_last = self.before + self.rows.len() as u64 >= self.total;
        self.rows.last().filter(|_| !is_last).map(|row| self.query.position(row))
    }

    /// Counts what has come and gone outside the page; whether something has within it.
    fn moved(&mut self, before: &FleetView, now: &FleetView) -> bool {
        let Query { filter, .. } = &self.query;
        if filter.depends_on_links() && !now.hears_the_same(before) {
            return true;
        }
        let (mut before_by, mut total_by) = (0_i64, 0_i64);
        for (then, this) in now.changes(before) {
            let was = then.filter(|row| filter.matches(row, before)).map(|row| self.query.position(row));
            let is = this.filter(|row| filter.matches(row, now)).map(|row| self.query.position(row));
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

    /// Whether a position lies before the page, on it, or behind it. A page that is found from its end is taken for all
    /// of the list: whatever moves may move it.
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
