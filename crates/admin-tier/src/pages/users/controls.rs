//! The controls of the list: search, filters, order, export. They do not change while the page is open.

use fleet::{FleetView, Query, SessionState, SortField};

use crate::session_query::SessionQuery;

/// The controls above the list, and the headings of its columns.
pub(super) struct Controls {
    pub(super) asked: SessionQuery,
    pub(super) is_filtered: bool,
    /// The pods to choose from.
    pub(super) pods: Vec<String>,
    /// The states to choose from: name and label.
    pub(super) states: Vec<(&'static str, &'static str)>,
    pub(super) columns: Vec<Column>,
    /// The orders to choose from, for screens too narrow for column headings: name and label.
    pub(super) orders: Vec<(String, String)>,
    /// The current order.
    pub(super) order: String,
    /// The link to the same list without the filter by user.
    pub(super) any_user: String,
    pub(super) csv: String,
    pub(super) json: String,
}

/// The heading of a column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) href: String,
    /// `ascending`, `descending`, or empty.
    pub(super) order: &'static str,
}

const COLUMNS: [(&str, SortField); 6] = [
    ("Session", SortField::SessionId),
    ("User", SortField::User),
    ("Pod", SortField::Pod),
    ("Signed in", SortField::LoginTime),
    ("Last active", SortField::LastActivity),
    ("Duration", SortField::DurationSeconds),
];

impl Controls {
    pub(super) fn new(asked: &SessionQuery, query: &Query, view: &FleetView) -> Self {
        let mut pods: Vec<_> = view.pods().iter().map(|pod| pod.label().to_owned()).collect();
        if !asked.pod.is_empty() {
            pods.push(asked.pod.clone());
        }
        pods.sort();
        pods.dedup();
        let first_page = asked.first_page();
        Self {
            is_filtered: !query.filter.is_empty(),
            pods,
            states: states(asked, view),
            columns: COLUMNS.map(|(name, field)| column(name, field, query, &first_page)).into(),
            orders: COLUMNS.iter().flat_map(|(name, field)| orders(name, *field)).collect(),
            order: query.sort.to_string(),
            any_user: SessionQuery { user: String::new(), ..first_page.clone() }.href("/admin/users"),
            csv: first_page.href("/admin/users.csv"),
            json: first_page.href("/admin/users.json"),
            asked: asked.clone(),
        }
    }
}

/// Returns the states to choose from. Without a handoff there is nothing to find by the state that only a handoff has.
fn states(asked: &SessionQuery, view: &FleetView) -> Vec<(&'static str, &'static str)> {
    let has_handoff = view.asked_to_move() > 0 || asked.state == SessionState::AskedToMove.as_str();
    let states = SessionState::ALL.into_iter().filter(|state| *state != SessionState::AskedToMove || has_handoff);
    states.map(|state| (state.as_str(), label(state))).collect()
}

const fn label(state: SessionState) -> &'static str {
    match state {
        SessionState::Present => "present",
        SessionState::Idle => "idle",
        SessionState::Notified => "notified",
        SessionState::NotNotified => "not notified",
        SessionState::Protected => "work in progress",
        SessionState::AskedToMove => "asked to move",
        SessionState::LastKnown => "last known",
        SessionState::Doubtful => "in doubt",
    }
}

/// Returns both orders by a field.
fn orders(name: &str, field: SortField) -> [(String, String); 2] {
    let (up, down) = match field {
        SortField::SessionId | SortField::User | SortField::Pod => ("A to Z", "Z to A"),
        SortField::LoginTime | SortField::LastActivity => ("oldest first", "newest first"),
        SortField::DurationSeconds => ("shortest first", "longest first"),
    };
    let field = field.as_str();
    [(field.to_owned(), format!("{name}, {up}")), (format!("-{field}"), format!("{name}, {down}"))]
}

fn column(name: &'static str, field: SortField, query: &Query, first_page: &SessionQuery) -> Column {
    let is_sorted = query.sort.field == field;
    let is_descending = is_sorted && query.sort.descending;
    let sort = if is_sorted && !is_descending { format!("-{}", field.as_str()) } else { field.as_str().to_owned() };
    let order = match (is_sorted, is_descending) {
        (false, _) => "",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    Column { name, href: SessionQuery { sort, ..first_page.clone() }.href("/admin/users"), order }
}
