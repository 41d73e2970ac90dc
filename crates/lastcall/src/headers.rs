//! What stands around every answer of the service's own: that it is what it says it is, loads and runs nothing, and is
//! framed by nobody. The app's answers are the app's affair.

use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

/// For what is no page: where a browser is led to it none the less, nothing comes of it.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Adds what is not there yet.
pub(crate) async fn guarded(mut response: Response) -> Response {
    guard(&mut response);
    response
}

/// Adds what is not there yet.
pub(crate) fn guard(response: &mut Response) {
    let all: [(HeaderName, &'static str); 3] =
        [(CONTENT_SECURITY_POLICY, NOTHING), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "same-origin")];
    for (name, value) in all {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
