//! The query string of the list of sessions, as pages, API and exports take it.

use fleet::{CursorParams, Filter, Query, QueryError};
use serde::Deserialize;

/// The parameters as they were sent; an absent one is empty. Unknown parameters are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SessionQuery {
    pub(crate) pod: String,
    pub(crate) user: String,
    pub(crate) q: String,
    pub(crate) state: String,
    pub(crate) connected: String,
    pub(crate) sort: String,
    pub(crate) limit: String,
    pub(crate) cursor: String,
    pub(crate) before: String,
}

impl SessionQuery {
    /// Checks the parameters.
    ///
    /// # Errors
    /// Where a parameter has a value that it cannot have.
    pub(crate) fn parse(&self, default_limit: usize) -> Result<Query, QueryError> {
        let filter = Filter::new(&self.pod, &self.user, &self.q).in_state(&self.state)?.connected(&self.connected)?;
        let cursors = CursorParams { after: &self.cursor, before: &self.before };
        Query::parse(filter, Some(&self.sort), Some(&self.limit), cursors, default_limit)
    }

    /// Returns the query for the first page of the same list.
    pub(crate) fn first_page(&self) -> Self {
        Self { cursor: String::new(), before: String::new(), ..self.clone() }
    }

    /// Returns the URL that makes this query at `path`.
    pub(crate) fn href(&self, path: &str) -> String {
        let pairs = [
            ("q", &self.q),
            ("pod", &self.pod),
            ("user", &self.user),
            ("state", &self.state),
            ("connected", &self.connected),
            ("sort", &self.sort),
            ("limit", &self.limit),
            ("cursor", &self.cursor),
            ("before", &self.before),
        ];
        let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let query = serde_urlencoded::to_string(given.collect::<Vec<_>>()).unwrap_or_default();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}
