//! Redirects paths with a trailing slash to the path without it.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use http::header::{HeaderValue, LOCATION};
use http::{StatusCode, Uri};

/// Adds routes along with the redirect.
pub(crate) trait TrailingSlash<S> {
    /// Adds a route, and a redirect to it from the same path with a trailing slash.
    fn with_or_without_slash(self, path: &str, handlers: MethodRouter<S>) -> Self;
}

impl<S: Clone + Send + Sync + 'static> TrailingSlash<S> for Router<S> {
    fn with_or_without_slash(self, path: &str, handlers: MethodRouter<S>) -> Self {
        self.route(path, handlers).route(&format!("{path}/"), any(redirect))
    }
}

/// 308 to the path without the slash, with the query. It is only routed for paths of this tier, so that it cannot lead to
/// another site.
async fn redirect(uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    let target = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    match HeaderValue::try_from(target) {
        Ok(target) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, target)]).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
