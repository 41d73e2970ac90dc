//! What stands around every answer: headers that keep pages what they are, proof that what changes something comes from
//! here, and a look at the `Host` on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::{HOST, HeaderName};
use http_support::{AllowedOrigins, Networks, SameOrigin, forwarded, security_headers};

use crate::options::{AdminAuth, Options};
use crate::problem;

/// Scripts and styles come from our own files only, and no page may frame ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Adds the headers.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    guarded(next.run(request).await)
}

fn guarded(mut response: Response) -> Response {
    security_headers::add(response.headers_mut(), POLICY);
    response
}

/// What changes something is done for our own pages only, and for callers that are no browser: whoever may look, another
/// site must not act in their name.
pub(crate) async fn own_pages_only(
    State(same_origin): State<Arc<SameOrigin>>,
    request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match same_origin.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(error) => problem::answer(request.headers(), StatusCode::FORBIDDEN, "Not from here", &error.to_string()),
    }
}

/// Whose `X-Forwarded-*` is believed (`TRUSTED_PROXIES`); with none set, the scheme is believed from every peer, and the host
/// from none.
#[derive(Clone, Debug)]
pub(crate) struct ForwardedTrust {
    proxies: Option<Networks>,
    user_header: Option<HeaderName>,
}

impl ForwardedTrust {
    pub(crate) fn new(options: &Options) -> Self {
        let user_header = match &options.auth {
            AdminAuth::Proxy(trusted) => Some(trusted.header().clone()),
            AdminAuth::Token(_) | AdminAuth::Off => None,
        };
        Self { proxies: options.trusted_proxies.clone(), user_header }
    }

    /// Who may change something then.
    pub(crate) fn same_origin(&self) -> SameOrigin {
        SameOrigin::new(AllowedOrigins::default(), self.proxies.is_some())
    }
}

/// Takes away what peers say of proxies who are none.
pub(crate) async fn trusted_proxies_only(
    State(trust): State<Arc<ForwardedTrust>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(proxies) = &trust.proxies {
        forwarded::strip(request.headers_mut(), proxies, trust.user_header.as_ref(), Some(peer.ip()));
    }
    next.run(request).await
}

/// On loopback, answers only to the names of this machine: a page that rebinds its own name to 127.0.0.1 (DNS
/// rebinding) would read the dashboard otherwise.
pub(crate) async fn local_names_only(request: Request, next: Next) -> Response {
    // A target that names its host counts before the field (RFC 9112, 3.2.2).
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host.or_else(|| request.headers().get(HOST).and_then(|value| value.to_str().ok()));
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
