//! On loopback, answers only requests for a name of this machine.
//!
//! A page whose own name is made to resolve to 127.0.0.1 (DNS rebinding) could read the dashboard otherwise. Where
//! operators sign in this is not needed: such a page gets no further than the sign-in, as cookies belong to names.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::HOST;

use crate::error::AppError;

/// Passes requests for `localhost`, `127.0.0.1` and `[::1]`.
pub(super) async fn require_loopback_name(request: Request, next: Next) -> Result<Response, AppError> {
    // A target that names its host takes precedence over the field (RFC 9112, 3.2.2).
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host.or_else(|| request.headers().get(HOST).and_then(|value| value.to_str().ok()));
    if host.is_some_and(is_loopback_name) {
        return Ok(next.run(request).await);
    }
    let detail = "This admin tier listens on loopback and answers to localhost, 127.0.0.1 and [::1] only.";
    Err(AppError::new(StatusCode::MISDIRECTED_REQUEST, "Unknown host", detail).document_only())
}

fn is_loopback_name(host: &str) -> bool {
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
    fn only_names_of_this_machine_are_loopback_names() {
        for host in ["localhost", "localhost:9092", "127.0.0.1:9092", "[::1]:9092", "[::1]", "LOCALHOST:1"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["evil.test", "localhost.evil.test:9092", "127.0.0.1.evil.test", "", "localhost:x"] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
