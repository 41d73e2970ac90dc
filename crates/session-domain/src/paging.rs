//! Lists in pages: which rows stand on a page, how many match in all, and the cursor that says where the next begins.
//!
//! Shared by every list of sessions, on pods and over all of them. A caller names an order by a [`Key`] for each row;
//! the session's id breaks ties, so that the order is total. A page begins *after* a position in that order, never at
//! a row's number: rows that come and go between two pages shift nothing, and a row that stays, and keeps its key, is
//! seen exactly once. Where the key itself moves (the last activity), a row may be met again or passed by.
//!
//! A cursor is opaque, made of `[A-Za-z0-9_-]` only, and bound to the *scope* it was made in: a text that spells out
//! the order and the filter. In any other scope it is refused. It is a position, not a secret, and not signed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use uuid::Uuid;

use crate::ids::SessionId;

const VERSION: u8 = 1;
const NUMBER: u8 = b'n';
const TEXT: u8 = b't';
/// Version, check, scope, id and the key's kind; the key follows.
const HEAD: usize = 1 + 4 + 8 + 16 + 1;

/// What a list is ordered by: a number (times are milliseconds) or a text. One list has keys of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Orders by size.
    Number(i64),
    /// Orders by code points.
    Text(String),
}

/// A position in an order: right after the row with this key and id, whether it is still there or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The last row's key.
    pub key: Key,
    /// The last row's id, which breaks ties.
    pub id: SessionId,
}

/// Why a cursor is refused. The caller is at fault and may begin again without one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CursorError {
    /// No answer ever held this text.
    #[error("the cursor is damaged: pass it on unchanged, or leave it out to begin again")]
    Damaged,
    /// It was made for another order or filter.
    #[error("the cursor belongs to a list with another filter or order: leave it out to begin again")]
    Foreign,
}

impl Cursor {
    /// Writes the cursor for the lists of one scope.
    pub fn encode(&self, scope: &str) -> String {
        let (kind, key) = match &self.key {
            Key::Number(number) => (NUMBER, number.to_be_bytes().to_vec()),
            Key::Text(text) => (TEXT, text.as_bytes().to_vec()),
        };
        let mut bytes = Vec::with_capacity(HEAD + key.len());
        bytes.push(VERSION);
        bytes.extend([0; 4]);
        bytes.extend(fingerprint(scope.as_bytes()).to_be_bytes());
        bytes.extend(self.id.as_uuid().as_bytes());
        bytes.push(kind);
        bytes.extend(key);
        let check = check(&bytes);
        bytes[1..5].copy_from_slice(&check);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Cursor::encode`] wrote.
    ///
    /// # Errors
    /// Where the text was not written by it, or in another scope.
    pub fn decode(text: &str, scope: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Damaged)?;
        let (head, key) = bytes.split_at_checked(HEAD).ok_or(CursorError::Damaged)?;
        if head[0] != VERSION || head[1..5] != check(&bytes) {
            return Err(CursorError::Damaged);
        }
        if head[5..13] != fingerprint(scope.as_bytes()).to_be_bytes() {
            return Err(CursorError::Foreign);
        }
        let id = Uuid::from_slice(&head[13..29]).map_err(|_| CursorError::Damaged)?;
        let key = match head[29] {
            NUMBER => Key::Number(i64::from_be_bytes(key.try_into().map_err(|_| CursorError::Damaged)?)),
            TEXT => Key::Text(String::from_utf8(key.to_vec()).map_err(|_| CursorError::Damaged)?),
            _ => return Err(CursorError::Damaged),
        };
        Ok(Self { key, id: SessionId::from_uuid(id) })
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// The rows of the page, in order.
    pub rows: Vec<R>,
    /// How many matching rows stand before the page.
    pub before: u64,
    /// How many rows match, on all pages together.
    pub total: u64,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

/// Picks one page out of rows in any order. `rows` are those that match; `position` is a row's place in the ascending
/// order; `descending` turns the whole order around, ids included.
///
/// Costs one walk over all that match and memory for `limit` rows; nothing is sorted that is not shown.
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
    let more = best.len() > limit;
    let mut best = best.into_sorted_vec();
    best.truncate(limit);
    let next = best.last().filter(|_| more).map(|last| last.at.clone());
    Page { rows: best.into_iter().map(|candidate| candidate.row).collect(), before, total, next }
}

/// Picks the page that ends right before `end`, or at the end of the list where there is none. Where fewer rows stand
/// there than fill a page, it is the first page. Costs the same walk, two in that case.
pub fn page_before<R>(
    rows: impl Iterator<Item = R> + Clone,
    position: impl Fn(&R) -> Cursor,
    descending: bool,
    end: Option<&Cursor>,
    limit: usize,
) -> Page<R> {
    let turned = page(rows.clone(), &position, !descending, end, limit);
    let behind = turned.before;
    let before = turned.total - behind - turned.rows.len() as u64;
    if before == 0 {
        return page(rows, position, descending, None, limit);
    }
    let mut rows = turned.rows;
    rows.reverse();
    let next = rows.last().filter(|_| behind > 0).map(position);
    Page { rows, before, total: turned.total, next }
}

/// A row that may stand on the page; the greatest is the first to be pushed off.
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

/// Compares two places in an order that may be turned around.
pub fn directed(one: &Cursor, other: &Cursor, descending: bool) -> Ordering {
    if descending { other.cmp(one) } else { one.cmp(other) }
}

/// A check against accidents, over all but its own place.
fn check(bytes: &[u8]) -> [u8; 4] {
    let sum = fingerprint(bytes.get(5..).unwrap_or_default()) ^ u64::from(VERSION);
    let mut check = [0; 4];
    check.copy_from_slice(&sum.to_be_bytes()[4..]);
    check
}

/// FNV-1a, which is the same in every process and every release.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
