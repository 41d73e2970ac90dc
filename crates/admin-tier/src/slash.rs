//! Paths that people type with a slash at their end: they are led to the path without it.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::{HeaderValue, LOCATION};
use http::{StatusCode, Uri};

use crate::app::App;

/// Adds a path that is read by `GET`, and the way to it from the same path with a slash behind.
pub(crate) trait Readable {
    /// Adds it.
    fn readable(self, path: &str, answers: MethodRouter<App>) -> Self;
}

impl Readable for Router<App> {
    fn readable(self, path: &str, answers: MethodRouter<App>) -> Self {
        self.route(path, answers).route(&format!("{path}/"), get(without_slash))
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
