//! The paths of the app to which other sites' pages may post.

use std::collections::HashSet;

use http::Method;
use http::request::Parts;

/// The paths to which other sites' pages may post.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossSitePosts(HashSet<String>);

impl CrossSitePosts {
    /// The same, and these.
    pub(crate) fn with(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Whether the request is such a post. Its path begins behind the [base](crate::scope::Base).
    pub(crate) fn include(&self, request: &Parts) -> bool {
        request.method == Method::POST && self.0.contains(request.uri.path())
    }
}
