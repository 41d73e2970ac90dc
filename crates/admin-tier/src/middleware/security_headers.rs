//! Header fields that restrict what browsers do with a response.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use http_support::security_headers;

/// The policy of pages: scripts, styles and images come from this origin only, and no page may frame them.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                           form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Adds the fields to every response. Problem documents get the policy of pages, too.
pub(super) async fn add_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    security_headers::add(headers, PAGE_POLICY);
    response
}
