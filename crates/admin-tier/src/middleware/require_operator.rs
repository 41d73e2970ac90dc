//! Passes requests of operators and refuses all others.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{ACCEPT, CACHE_CONTROL, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use http_support::header_fields;

use crate::auth::{Auth, AuthError, CredentialsError, IdentityError, ReturnPath};
use crate::error::{AppError, retry_later};

/// Finds the operator behind a request and hands it to the handler as an extension. A navigation without credentials is
/// redirected to the sign-in page; other requests are refused.
pub(crate) async fn require_operator(
    State(auth): State<Auth>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let (operator, renewed_cookie) = match auth.authenticate(request.headers(), peer.ip()) {
        Ok(authenticated) => authenticated,
        Err(error) => return refuse(error, &request),
    };
    request.extensions_mut().insert(operator);
    let mut response = next.run(request).await;
    if let Some(cookie) = renewed_cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn refuse(error: AuthError, request: &Request) -> Response {
    match error {
        AuthError::Identity(error) => {
            let status = match error {
                IdentityError::NotFromProxy | IdentityError::NoName(_) => StatusCode::FORBIDDEN,
                IdentityError::BadHeader(_) => StatusCode::BAD_REQUEST,
            };
            AppError::new(status, "Invalid user header", error.to_string()).into_response()
        }
        AuthError::Credentials(CredentialsError::Missing) if wants_sign_in_page(request) => {
            redirect_to_sign_in(request)
        }
        AuthError::Credentials(CredentialsError::Missing) => {
            let detail = "Present ADMIN_TOKEN as `Authorization: Bearer …`, or sign in at /admin.";
            unauthorized(detail, "Bearer").into_response()
        }
        AuthError::Credentials(CredentialsError::Wrong) => {
            unauthorized("The token is not ADMIN_TOKEN.", "Bearer error=\"invalid_token\"").into_response()
        }
        AuthError::Credentials(CredentialsError::TooManyAttempts(wait)) => {
            let detail = "Too many wrong tokens from your address. Wait a few seconds.";
            let error = AppError::new(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", detail);
            error.with_headers(retry_later(wait)).into_response()
        }
    }
}

fn unauthorized(detail: &'static str, challenge: &'static str) -> AppError {
    AppError::new(StatusCode::UNAUTHORIZED, "Not signed in", detail)
        .with_headers([(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))])
        .document_only()
}

fn redirect_to_sign_in(request: &Request) -> Response {
    let return_path =
        if request.method().is_safe() { ReturnPath::from_uri(request.uri()) } else { ReturnPath::from_input("") };
    let redirect = Redirect::to(&return_path.sign_in_url());
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], redirect).into_response()
}

/// Returns whether the request asks for a page: a browser navigates, or a program asks for the address of a page.
fn wants_sign_in_page(request: &Request) -> bool {
    let headers = request.headers();
    let path = request.uri().path();
    let is_api = path.starts_with("/admin/api/") || path == "/openapi.json";
    let navigates = !header_fields::has_member_other_than(headers, "sec-fetch-mode", &["navigate"]);
    let accepts_anything = !headers.contains_key(ACCEPT) || header_fields::accepts(headers, "*/*");
    // A change has to name HTML: a script would take the redirect for success.
    let takes_anything = accepts_anything && request.method().is_safe();
    !is_api && navigates && (header_fields::accepts(headers, "text/html") || takes_anything)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// Method, path, header fields, and whether the sign-in page is wanted.
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], bool);

    const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

    #[test]
    fn navigations_are_redirected_to_the_sign_in_page_and_programs_are_not() {
        let cases: [Case; 11] = [
            ("GET", "/admin", &[HTML, ("sec-fetch-mode", "navigate")], true),
            ("GET", "/admin/users?q=a", &[HTML], true),
            ("GET", "/admin", &[], true),
            ("GET", "/admin", &[("accept", "*/*")], true),
            ("POST", "/admin/maintenance", &[HTML], true),
            ("POST", "/admin/maintenance", &[], false),
            ("GET", "/admin/users", &[HTML, ("sec-fetch-mode", "cors")], false),
            ("GET", "/admin", &[("accept", "application/json")], false),
            ("GET", "/admin/api/v1/pods", &[HTML], false),
            ("GET", "/openapi.json", &[], false),
            ("POST", "/admin/maintenance", &[("accept", "*/*")], false),
        ];
        for (method, path, headers, expected) in cases {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(wants_sign_in_page(&request), expected, "{method} {path} {headers:?}");
        }
    }
}
