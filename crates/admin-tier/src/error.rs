//! [`AppError`]: the one error that handlers and middleware return.
//!
//! It becomes a problem document (RFC 9457). For navigations the `error_pages` middleware replaces the document by a page.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use fleet::QueryError;
use http::StatusCode;
use http::header::{CONNECTION, HeaderName, HeaderValue, RETRY_AFTER};
use http_support::Problem;

/// A request that was refused or failed.
#[derive(Clone, Debug)]
pub(crate) struct AppError {
    problem: Box<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
    is_document_only: bool,
}

impl AppError {
    /// Creates an error: what went wrong in a few words, and what to do about it in whole sentences.
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { problem: Box::new(Problem::new(status, title, detail)), headers: Vec::new(), is_document_only: false }
    }

    /// Creates the error for a query string that cannot be used.
    pub(crate) fn bad_query(reason: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad query", reason.to_string())
    }

    /// Adds header fields to the response.
    pub(crate) fn with_headers(mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Makes the response a problem document for navigations, too.
    pub(crate) fn document_only(mut self) -> Self {
        self.is_document_only = true;
        self
    }
}

/// The document. Where a page may replace it, the response has the [`Problem`] as an extension.
impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let Self { problem, headers, is_document_only } = self;
        let extension = (!is_document_only).then(|| Problem::clone(&problem));
        let mut response = (*problem).into_response();
        response.headers_mut().extend(headers);
        if let Some(problem) = extension {
            response.extensions_mut().insert(problem);
        }
        response
    }
}

impl From<QueryRejection> for AppError {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_query(rejection.body_text())
    }
}

impl From<QueryError> for AppError {
    fn from(error: QueryError) -> Self {
        Self::bad_query(error)
    }
}

/// Returns the header fields that tell a client when to try again, and end its connection.
pub(crate) fn retry_later(wait: Duration) -> [(HeaderName, HeaderValue); 2] {
    [(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1)), (CONNECTION, HeaderValue::from_static("close"))]
}

/// Writes an error's message as a sentence.
pub(crate) fn sentence(error: impl Display) -> String {
    let message = error.to_string();
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence_whatever_it_begins_with() {
        assert_eq!(sentence("the pod is reachable"), "The pod is reachable.");
        assert_eq!(sentence("/é is mounted"), "/é is mounted.");
        assert_eq!(sentence(""), "");
    }
}
