//! The header fields that protect every response of our own: a content security policy, no content sniffing, and no referrer
//! for other sites.

use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

/// The policy of responses that are not pages: they load and run nothing, and no page may frame them. Directives that
/// `default-src` does not cover are listed one by one.
pub const NOT_A_PAGE: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Adds the fields, with this content security policy. Keeps fields that the response already has.
pub fn add(headers: &mut HeaderMap, policy: &'static str) {
    let fields =
        [(CONTENT_SECURITY_POLICY, policy), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "same-origin")];
    for (name, value) in fields {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Adds the fields to a response that is not a page. For [`axum::middleware::map_response`].
pub async fn not_a_page(mut response: Response) -> Response {
    add(response.headers_mut(), NOT_A_PAGE);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_the_response_is_kept_and_missing_fields_are_added() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
        add(&mut headers, NOT_A_PAGE);
        assert_eq!(headers[CONTENT_SECURITY_POLICY], "default-src 'self'");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[REFERRER_POLICY], "same-origin");
    }
}
