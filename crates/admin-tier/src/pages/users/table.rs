//! What surrounds the rows: totals, the range that is shown, and links to the other pages of the list.

use askama::Template;
use fleet::{FleetView, Listing, PageAnchor};

use crate::format;
use crate::pages::completeness::Completeness;
use crate::session_query::SessionQuery;

/// The heading with the totals. Each total links to the sessions that it counts.
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
            present: format::count(view.present_sessions()),
            idle: format::count(view.idle_sessions()),
            total: format::count(total),
            is_one: total == 1,
            pods: completeness.pods(),
            is_complete: completeness.known == completeness.all,
        }
    }
}

/// Which rows are shown, or why there are none.
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
    /// No pod has reported yet.
    NoReports,
    /// No pod can be reached, and none has ever reported.
    Unreachable,
    /// No session matches the query.
    NothingMatches,
    /// The page is after the last row.
    AfterTheLast,
    /// All pods are known and hold no session.
    NoSessions,
    /// The known pods hold no session.
    NoKnownSessions,
}

impl Range {
    pub(super) fn new(view: &FleetView, completeness: &Completeness, listing: &Listing) -> Self {
        let (shown, total) = (listing.rows().len() as u64, view.total_sessions());
        let is_filtered = !listing.query().filter.is_empty();
        Self {
            is_filtered,
            total: format::counted(total, "session"),
            matching: format::count(listing.total()),
            empty: (shown == 0).then(|| Empty::of(view, completeness, listing)),
            first: format::count(listing.before() + 1),
            last: format::count(listing.before() + shown),
            pods: completeness.pods(),
        }
    }
}

impl Empty {
    fn of(view: &FleetView, completeness: &Completeness, listing: &Listing) -> Self {
        let Completeness { all, known, .. } = *completeness;
        let has_report = view.pods().iter().any(|pod| pod.report.is_some());
        match () {
            () if listing.total() > 0 => Self::AfterTheLast,
            () if view.total_sessions() > 0 => Self::NothingMatches,
            () if all == 0 => Self::NoPods,
            () if completeness.unreachable.len() == all && !has_report => Self::Unreachable,
            () if !has_report => Self::NoReports,
            () if known < all => Self::NoKnownSessions,
            () => Self::NoSessions,
        }
    }
}

/// Links to the other pages of the list.
#[derive(Template)]
#[template(path = "users/pager.html")]
pub(super) struct Pager {
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    last: Option<String>,
}

impl Pager {
    pub(super) fn new(asked: &SessionQuery, listing: &Listing) -> Self {
        let query = listing.query();
        let first_page = asked.first_page();
        let to =
            |cursor: String, before: String| SessionQuery { cursor, before, ..first_page.clone() }.href("/admin/users");
        let (previous, next) = (listing.previous(), listing.next());
        // A page in the middle links to the first one, even where no row is left before it.
        let is_later = previous.is_some() || query.anchor != PageAnchor::Start;
        Self {
            first: is_later.then(|| to(String::new(), String::new())),
            previous: previous.map(|position| to(String::new(), query.cursor(&position))),
            last: next.as_ref().map(|_| to(String::new(), "end".to_owned())),
            next: next.map(|position| to(query.cursor(&position), String::new())),
        }
    }
}
