//! Sessions that no pod holds any more.

use askama::Template;

use super::super::words::{self, Moment, Words};
use crate::orphans::Orphans;

/// Orphans on the dashboard; the API lists more.
const SHOWN: usize = 20;

/// Those that are left behind, where somebody looks for them.
#[derive(Template)]
#[template(path = "users/left_behind.html")]
pub(super) struct LeftBehind {
    found: Option<Found>,
}

struct Found {
    total: String,
    is_one: bool,
    rows: Vec<Orphaned>,
    more: String,
    is_more: bool,
    /// Why they are as they were seen last, and when that was.
    error: Option<(String, Option<Moment>)>,
}

/// A session that no pod holds.
struct Orphaned {
    id: String,
    user: String,
    pod: String,
    active: Option<Moment>,
}

impl LeftBehind {
    pub(super) fn new(orphans: Option<&Orphans>, words: Words) -> Self {
        let worth_a_word = |orphans: &&Orphans| orphans.total > 0 || orphans.error.is_some();
        Self { found: orphans.filter(worth_a_word).map(|orphans| Found::new(orphans, words)) }
    }
}

impl Found {
    fn new(orphans: &Orphans, words: Words) -> Self {
        let rows = orphans.listed.iter().take(SHOWN).map(|orphan| Orphaned {
            id: orphan.id.to_string(),
            user: orphan.user.to_string(),
            pod: orphan.pod.clone(),
            active: orphan.last_activity.map(|at| words.ago(at)),
        });
        let rows: Vec<_> = rows.collect();
        let more = orphans.total.saturating_sub(rows.len() as u64);
        Self {
            total: words::count(orphans.total),
            is_one: orphans.total == 1,
            rows,
            more: words::count(more),
            is_more: more > 0,
            error: orphans.error.clone().map(|reason| (reason, orphans.as_of.map(|at| words.ago(at)))),
        }
    }
}
