//! The query parameters of a request.

use std::collections::HashMap;

use crate::kubernetes::status::Status;

/// The query parameters of a request.
#[derive(Debug)]
pub(super) struct Query(HashMap<String, String>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(serde_urlencoded::from_str(text).unwrap_or_default())
    }

    /// Returns a parameter that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        matches!(self.text(name), Some("true" | "1"))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Status> {
        let bad = |text| Status::bad_request(format!("{name} {text:?} is not a number"));
        self.text(name).map(|text| text.parse().map_err(|_| bad(text))).transpose()
    }
}
