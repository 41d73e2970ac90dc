//! Problems: responses that report an error, as a problem document (RFC 9457), or as a page if the request is a navigation.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use crate::header_fields::is_navigation;
use crate::security_headers;

/// What is wrong with a request, or why it cannot be served now.
///
/// As a response ([`IntoResponse`]) it is an `application/problem+json` document. Browsers that navigate get a page instead
/// by [`Problem::respond`].
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The status of the response.
    pub status: StatusCode,
    /// What is wrong, in a few words.
    pub title: Cow<'static, str>,
    /// What happened and what to do about it, in whole sentences.
    pub detail: Cow<'static, str>,
    members: Map<String, Value>,
}

impl Problem {
    /// Creates a problem with the three standard members.
    pub fn new(status: StatusCode, title: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, title: title.into(), detail: detail.into(), members: Map::new() }
    }

    /// Adds a member to the document. A standard member cannot be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Answers a request with these header fields: by `page` if it is a navigation, otherwise by the document.
    pub fn respond(self, request: &HeaderMap, page: impl FnOnce(&Self) -> Response) -> Response {
        if is_navigation(request) { page(&self) } else { self.into_response() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = self.members;
        let standard =
            [("title", json!(self.title)), ("status", json!(self.status.as_u16())), ("detail", json!(self.detail))];
        document.extend(standard.map(|(name, value)| (name.to_owned(), value)));
        let mut response = Response::new(Body::from(Value::Object(document).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        security_headers::add(headers, security_headers::NOT_A_PAGE);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::Html;

    use super::*;
    use crate::header_fields::tests::headers;

    #[tokio::test]
    async fn a_document_has_its_members_and_is_not_stored() {
        let problem = Problem::new(StatusCode::CONFLICT, "Busy", "Try again.").with("pod", "a").with("status", "fine");
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(document, json!({ "title": "Busy", "status": 409, "detail": "Try again.", "pod": "a" }));
    }

    #[test]
    fn a_navigation_gets_the_page_and_other_requests_the_document() {
        let content_type = |request: &HeaderMap| {
            let problem = Problem::new(StatusCode::NOT_FOUND, "Not found", "There is no such page.");
            let page = |problem: &Problem| (problem.status, Html(problem.title.to_string())).into_response();
            problem.respond(request, page).headers()[CONTENT_TYPE].clone()
        };
        assert_eq!(content_type(&headers(&[("accept", b"text/html")])), "text/html; charset=utf-8");
        assert_eq!(content_type(&headers(&[("accept", b"*/*")])), "application/problem+json");
    }
}
