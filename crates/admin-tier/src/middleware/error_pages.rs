//! Shows errors as pages to operators who navigate; programs get the problem document.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_support::{Problem, header_fields};

use crate::pages;

/// Replaces an error's problem document by a page where the request is a navigation.
pub(super) async fn render_error_pages(request: Request, next: Next) -> Response {
    let is_navigation = header_fields::is_navigation(request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if is_navigation => {
            let page = Html(pages::error_page(&problem.title, &problem.detail));
            let (mut parts, _document) = response.into_parts();
            // The fields that belong to the document.
            for name in [CONTENT_TYPE, CONTENT_LENGTH] {
                parts.headers.remove(name);
            }
            let (page_parts, body) = page.into_response().into_parts();
            parts.headers.extend(page_parts.headers);
            Response::from_parts(parts, body)
        }
        Some(_) | None => response,
    }
}
