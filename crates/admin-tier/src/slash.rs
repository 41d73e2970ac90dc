//! Paths with a slash at their end: requests are redirected to the path without it.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use http::header::{HeaderValue, LOCATION};
use http::{StatusCode, Uri};

use crate::app::App;

/// Adds a path, and a redirect to it from the same path with a slash at its end.
pub(crate) trait TrailingSlash {
    /// Adds it.
    fn with_or_without_slash(self, path: &str, answers: MethodRouter<App>) -> Self;
}

impl TrailingSlash for Router<App> {
    fn with_or_without_slash(self, path: &str, answers: MethodRouter<App>) -> Self {
        self.route(path, answers).route(&format!("{path}/"), any(without_slash))
    }
}

/// 308 to the path without the slash, with the query. Only for paths of ours, so that it leads nowhere else.
async fn without_slash(uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    let target = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    match HeaderValue::try_from(target) {
        Ok(target) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, target)]).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
