//! What the list is asked for: search, filters, order, export. Fixed as long as the page is open.

use fleet::{FleetView, Query, SessionState, SortField};

use crate::api::SessionParameters;

/// The controls above the list, and the heads of its columns.
pub(super) struct Controls {
    pub(super) asked: SessionParameters,
    pub(super) is_filtered: bool,
    /// Pods to choose from.
    pub(super) pods: Vec<String>,
    /// States to choose from: name and words.
    pub(super) states: Vec<(&'static str, &'static str)>,
    pub(super) columns: Vec<Column>,
    /// Orders to choose from, for screens too narrow for the heads of columns: name and words.
    pub(super) orders: Vec<(String, String)>,
    /// The order of the list, as it is asked for.
    pub(super) order: String,
    /// The same list of every user.
    pub(super) any_user: String,
    pub(super) csv: String,
    pub(super) json: String,
}

/// The head of a column.
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
    pub(super) fn new(asked: &SessionParameters, query: &Query, view: &FleetView) -> Self {
        let mut pods: Vec<_> = view.pods().iter().map(|pod| pod.label().to_owned()).collect();
        if !asked.pod.is_empty() {
            pods.push(asked.pod.clone());
        }
        pods.sort();
        pods.dedup();
        let whole = asked.at_start();
        Self {
            is_filtered: !query.filter.is_empty(),
            pods,
            states: SessionState::ALL.map(|state| (state.as_str(), words(state))).into(),
            columns: COLUMNS.map(|(name, field)| column(name, field, query, &whole)).into(),
            orders: COLUMNS.iter().flat_map(|(name, field)| orders(name, *field)).collect(),
            order: query.sort.to_string(),
            any_user: SessionParameters { user: String::new(), ..whole.clone() }.href("/admin/users"),
            csv: whole.href("/admin/users.csv"),
            json: whole.href("/admin/users.json"),
            asked: asked.clone(),
        }
    }
}

const fn words(state: SessionState) -> &'static str {
    match state {
        SessionState::Present => "present",
        SessionState::Idle => "idle",
        SessionState::Notified => "told to leave",
        SessionState::NotNotified => "not told",
        SessionState::LastKnown => "last known",
        SessionState::Doubtful => "in doubt",
    }
}

/// Both orders by a field.
fn orders(name: &str, field: SortField) -> [(String, String); 2] {
    let (up, down) = match field {
        SortField::SessionId | SortField::User | SortField::Pod => ("A to Z", "Z to A"),
        SortField::LoginTime | SortField::LastActivity => ("oldest first", "newest first"),
        SortField::DurationSeconds => ("shortest first", "longest first"),
    };
    let field = field.as_str();
    [(field.to_owned(), format!("{name}, {up}")), (format!("-{field}"), format!("{name}, {down}"))]
}

fn column(name: &'static str, field: SortField, query: &Query, whole: &SessionParameters) -> Column {
    let is_sorted = query.sort.field == field;
    let is_descending = is_sorted && query.sort.descending;
    let sort = if is_sorted && !is_descending { format!("-{}", field.as_str()) } else { field.as_str().to_owned() };
    let order = match (is_sorted, is_descending) {
        (false, _) => "",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    Column { name, href: SessionParameters { sort, ..whole.clone() }.href("/admin/users"), order }
}
