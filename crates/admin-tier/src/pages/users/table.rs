//! What stands around the rows: how many there are, which of them are shown, and the way to the others.

use askama::Template;
use fleet::{FleetView, Listing, PageAnchor};

use super::super::{Completeness, words};
use crate::api::SessionParameters;

/// The heading, with the totals; each leads to the sessions that it counts.
#[derive(Template)]
#[template(path = "users/head.html")]
pub(super) struct Head {
    present: String,
    idle: String,
    total: String,
    is_one: bool,
    pods: String,
    is_complete: bool,
}

impl Head {
    pub(super) fn new(view: &FleetView, completeness: &Completeness) -> Self {
        let total = view.total_sessions();
        Self {
            present: words::count(view.present_sessions()),
            idle: words::count(view.idle_sessions()),
            total: words::count(total),
            is_one: total == 1,
            pods: completeness.pods(),
            is_complete: completeness.known == completeness.all,
        }
    }
}

/// Which rows these are, or why there are none.
#[derive(Template)]
#[template(path = "users/range.html")]
pub(super) struct Range {
    is_filtered: bool,
    total: String,
    matching: String,
    empty: Option<Empty>,
    first: String,
    last: String,
    pods: String,
}

/// Why there are no rows.
#[derive(Debug, PartialEq)]
enum Empty {
    /// There are no pods.
    NoPods,
    /// No pod was heard yet.
    NothingYet,
    /// No pod can be reached, and none ever was.
    Unreachable,
    /// There are sessions, and none of them is meant.
    NothingMatches,
    /// The page lies behind the last row.
    BehindTheLast,
    /// All pods are known, and nobody is there.
    Nobody,
    /// Nobody is on the pods that are known.
    NobodyKnown,
}

impl Range {
    pub(super) fn new(view: &FleetView, completeness: &Completeness, listing: &Listing) -> Self {
        let (shown, total) = (listing.rows().len() as u64, view.total_sessions());
        let is_filtered = !listing.query().filter.is_empty();
        Self {
            is_filtered,
            total: words::counted(total, "session"),
            matching: words::count(listing.total()),
            empty: (shown == 0).then(|| Empty::of(view, completeness, listing)),
            first: words::count(listing.before() + 1),
            last: words::count(listing.before() + shown),
            pods: completeness.pods(),
        }
    }
}

impl Empty {
    fn of(view: &FleetView, completeness: &Completeness, listing: &Listing) -> Self {
        let Completeness { all, known, .. } = *completeness;
        let was_heard = view.pods().iter().any(|pod| pod.report.is_some());
        match () {
            () if listing.total() > 0 => Self::BehindTheLast,
            () if view.total_sessions() > 0 => Self::NothingMatches,
            () if all == 0 => Self::NoPods,
            () if completeness.unreachable.len() == all && !was_heard => Self::Unreachable,
            () if !was_heard => Self::NothingYet,
            () if known < all => Self::NobodyKnown,
            () => Self::Nobody,
        }
    }
}

/// The way to the other pages of the list.
#[derive(Template)]
#[template(path = "users/pager.html")]
pub(super) struct Pager {
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    last: Option<String>,
}

impl Pager {
    pub(super) fn new(asked: &SessionParameters, listing: &Listing) -> Self {
        let query = listing.query();
        let whole = asked.at_start();
        let to =
            |cursor: String, before: String| SessionParameters { cursor, before, ..whole.clone() }.href("/admin/users");
        let (previous, next) = (listing.previous(), listing.next());
        // Whoever is elsewhere than at the start may go there, even where nothing is left before.
        let is_elsewhere = previous.is_some() || query.anchor != PageAnchor::Start;
        Self {
            first: is_elsewhere.then(|| to(String::new(), String::new())),
            previous: previous.map(|position| to(String::new(), query.cursor(&position))),
            last: next.as_ref().map(|_| to(String::new(), "end".to_owned())),
            next: next.map(|position| to(query.cursor(&position), String::new())),
        }
    }
}
