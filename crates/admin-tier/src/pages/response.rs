//! The response that carries a page.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use tracing::error;

/// Renders a page that no cache keeps.
pub(super) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Html(html)).into_response(),
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
