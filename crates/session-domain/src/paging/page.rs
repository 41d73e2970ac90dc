//! Selecting one page out of rows in any order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::cursor::Cursor;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// The rows of the page, in order.
    pub rows: Vec<R>,
    /// The number of matching rows before the page.
    pub before: u64,
    /// The number of matching rows on all pages together.
    pub total: u64,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
}

/// Selects the page that begins after `after`, or at the start of the list without it.
///
/// `rows` are the matching rows, in any order. `position` gives a row's position in the ascending order. `descending`
/// reverses the whole order, ids included. A `limit` of 0 counts as 1.
///
/// Costs one walk over all matching rows and memory for `limit` rows; only the rows of the page are sorted.
pub fn page<R>(
    rows: impl Iterator<Item = R>,
    position: impl Fn(&R) -> Cursor,
    descending: bool,
    after: Option<&Cursor>,
    limit: usize,
) -> Page<R> {
    let limit = limit.max(1);
    let mut best = BinaryHeap::new();
    let (mut before, mut total) = (0, 0);
    for row in rows {
        total += 1;
        let candidate = Candidate { at: position(&row), row, descending };
        if after.is_some_and(|after| directed(&candidate.at, after, descending) != Ordering::Greater) {
            before += 1;
        } else if best.len() <= limit {
            best.push(candidate);
        } else if let Some(mut last) = best.peek_mut()
            && candidate < *last
        {
            *last = candidate;
        }
    }
    let has_more = best.len() > limit;
    let mut best = best.into_sorted_vec();
    best.truncate(limit);
    let next = best.last().filter(|_| has_more).map(|last| last.at.clone());
    Page { rows: best.into_iter().map(|candidate| candidate.row).collect(), before, total, next }
}

/// Selects the page that ends right before `end`, or at the end of the list without it. If fewer than `limit` rows are
/// there, returns the first page instead. Costs the walk of [`page`], or two of them in that case.
pub fn page_before<R>(
    rows: impl Iterator<Item = R> + Clone,
    position: impl Fn(&R) -> Cursor,
    descending: bool,
    end: Option<&Cursor>,
    limit: usize,
) -> Page<R> {
    let reversed = page(rows.clone(), &position, !descending, end, limit);
    let after = reversed.before;
    let before = reversed.total - after - reversed.rows.len() as u64;
    if before == 0 {
        return page(rows, position, descending, None, limit);
    }
    let mut rows = reversed.rows;
    rows.reverse();
    let next = rows.last().filter(|_| after > 0).map(position);
    Page { rows, before, total: reversed.total, next }
}

/// Compares two positions in an order that may be reversed.
pub fn directed(one: &Cursor, other: &Cursor, descending: bool) -> Ordering {
    if descending { other.cmp(one) } else { one.cmp(other) }
}

/// A row that may be on the page. The greatest candidate is the first to be replaced.
struct Candidate<R> {
    at: Cursor,
    row: R,
    descending: bool,
}

impl<R> Ord for Candidate<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        directed(&self.at, &other.at, self.descending)
    }
}

impl<R> PartialOrd for Candidate<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> PartialEq for Candidate<R> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<R> Eq for Candidate<R> {}
