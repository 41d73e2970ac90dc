//! Believes `X-Forwarded-*` and the user header from trusted proxies only (`TRUSTED_PROXIES`).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::HeaderName;
use http_support::{AllowedOrigins, Networks, SameOrigin, forwarded};

use crate::options::{AdminAuth, Options};

/// Whose `X-Forwarded-*` fields are believed. Without `TRUSTED_PROXIES` the scheme is believed from every peer and the
/// host from none.
#[derive(Clone, Debug)]
pub(crate) struct ForwardedTrust {
    proxies: Option<Networks>,
    user_header: Option<HeaderName>,
}

impl ForwardedTrust {
    /// Reads the options.
    pub(crate) fn new(options: &Options) -> Self {
        let user_header = match &options.auth {
            AdminAuth::Proxy(trusted) => Some(trusted.header().clone()),
            AdminAuth::Token(_) | AdminAuth::Off => None,
        };
        Self { proxies: options.trusted_proxies.clone(), user_header }
    }

    /// Returns the check of origins that fits: it compares `X-Forwarded-Host` where proxies are trusted.
    pub(super) fn same_origin(&self) -> SameOrigin {
        SameOrigin::new(AllowedOrigins::default(), self.proxies.is_some())
    }
}

/// Removes the fields from requests whose peer is not a trusted proxy.
pub(super) async fn strip_untrusted_fields(
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
