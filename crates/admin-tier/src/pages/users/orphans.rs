//! Orphans on the dashboard: sessions in the shared store that no pod holds.

use askama::Template;

use crate::format;
use crate::orphans::Orphans;
use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// How many orphans the dashboard lists; the API lists more.
const MAX_ROWS: usize = 20;

/// The section; empty where there are no orphans.
#[derive(Template)]
#[template(path = "users/orphans.html")]
pub(super) struct OrphansSection {
    orphans: Option<OrphanList>,
}

struct OrphanList {
    total: String,
    is_one: bool,
    rows: Vec<OrphanRow>,
    more: String,
    is_more: bool,
    /// Why the list is out of date, and the time that it shows.
    error: Option<(String, Option<RelativeTime>)>,
}

struct OrphanRow {
    id: String,
    user: String,
    pod: String,
    last_activity: Option<RelativeTime>,
}

impl OrphansSection {
    pub(super) fn new(orphans: Option<&Orphans>, times: TimeRendering) -> Self {
        let is_shown = |orphans: &&Orphans| orphans.total > 0 || orphans.error.is_some();
        Self { orphans: orphans.filter(is_shown).map(|orphans| OrphanList::new(orphans, times)) }
    }
}

impl OrphanList {
    fn new(orphans: &Orphans, times: TimeRendering) -> Self {
        let rows = orphans.listed.iter().take(MAX_ROWS).map(|orphan| OrphanRow {
            id: orphan.id.to_string(),
            user: orphan.user.to_string(),
            pod: orphan.pod.clone(),
            last_activity: orphan.last_activity.map(|at| times.ago(at)),
        });
        let rows: Vec<_> = rows.collect();
        let more = orphans.total.saturating_sub(rows.len() as u64);
        Self {
            total: format::count(orphans.total),
            is_one: orphans.total == 1,
            rows,
            more: format::count(more),
            is_more: more > 0,
            error: orphans.error.clone().map(|reason| (reason, orphans.as_of.map(|at| times.ago(at)))),
        }
    }
}
