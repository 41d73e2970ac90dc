//! The sessions of a view: counts, pages and changes.

use session_domain::SessionId;
use session_domain::paging::{Page, page, page_before};

use super::FleetView;
use crate::query::{PageAnchor, Query};
use crate::rows::Row;

impl FleetView {
    /// The sessions known, each id once, those of unreachable pods included.
    pub fn total_sessions(&self) -> u64 {
        self.rows.len()
    }

    /// The sessions known to be present, as their pods report or last reported.
    pub fn present_sessions(&self) -> u64 {
        self.rows.present()
    }

    /// The sessions known that are not present.
    pub fn idle_sessions(&self) -> u64 {
        self.rows.len() - self.rows.present()
    }

    /// Whether the row is a last known one: its pod is not reachable.
    pub fn is_stale(&self, row: &Row) -> bool {
        self.pod(&row.address).is_none_or(|pod| !pod.is_reachable())
    }

    /// Selects one page of the matching sessions. Walks all sessions and holds those of the page.
    pub fn sessions(&self, query: &Query) -> Page<&Row> {
        let rows = self.matching(query);
        let position = |row: &&Row| query.sort.position(&row.session);
        let descending = query.sort.descending;
        match &query.anchor {
            PageAnchor::Start => page(rows, position, descending, None, query.limit),
            PageAnchor::After(cursor) => page(rows, position, descending, Some(cursor), query.limit),
            PageAnchor::Before(cursor) => page_before(rows, position, descending, Some(cursor), query.limit),
            PageAnchor::End => page_before(rows, position, descending, None, query.limit),
        }
    }

    /// All matching sessions in order, whatever page the query selects. Costs a reference for each session, not a copy.
    pub fn all_sessions(&self, query: &Query) -> Vec<Row> {
        let mut rows: Vec<_> = self.matching(query).cloned().collect();
        rows.sort_by_cached_key(|row| query.sort.position(&row.session));
        if query.sort.descending {
            rows.reverse();
        }
        rows
    }

    /// The sessions that differ from an earlier view: each as it was and as it is.
    pub(crate) fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Option<&'a Row>, Option<&'a Row>)> {
        self.rows.changes(&before.rows)
    }

    /// The session with this id.
    pub fn row(&self, id: SessionId) -> Option<&Row> {
        self.rows.get(id)
    }

    fn matching<'a>(&'a self, query: &Query) -> impl Iterator<Item = &'a Row> + Clone {
        self.rows.iter().filter(|row| query.filter.matches(row, || self.is_stale(row)))
    }
}
