//! What stands around every answer: headers that keep pages what they are, proof that what changes something comes from
//! here, and a look at the `Host` on loopback.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use door::same_origin;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY};

use crate::problem;

/// Adds the headers.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    guarded(next.run(request).await)
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// What changes something is done for our own pages only, and for callers that are no browser: whoever may look, another
/// site must not act in their name.
pub(crate) async fn own_pages_only(request: Request, next: Next) -> Response {
    if same_origin::is_safe(request.method()) || !same_origin::is_foreign(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    let detail = "This request was made by another site's page. Open the page itself and try again; \
                  a proxy in between must pass the Host header on.";
    problem::answer(request.headers(), StatusCode::FORBIDDEN, "Not from here", detail)
}

/// On loopback, answers only to the names of this machine: a page that rebinds its own name to 127.0.0.1 (DNS
/// rebinding) would read the dashboard otherwise.
pub(crate) async fn local_names_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if host.is_some_and(is_local) {
        return next.run(request).await;
    }
    let detail = "This admin tier listens on loopback and answers to localhost, 127.0.0.1 and [::1] only.";
    // This stands before everything else, the headers included.
    guarded(problem::document(StatusCode::MISDIRECTED_REQUEST, "Unknown host", detail))
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) | None => host,
    };
    matches!(name.to_ascii_lowercase().as_str(), "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "localhost:9092", "127.0.0.1:9092", "[::1]:9092", "[::1]", "LOCALHOST:1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.test", "localhost.evil.test:9092", "127.0.0.1.evil.test", "", "localhost:x"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
