//! Where a session lives in the URL: at the root, or (`SESSION_SCOPE=tab`) under a random path of the tab's own.
//!
//! Browsers keep cookies apart by path, so a path of its own makes every tab a session of its own. The app never
//! sees the prefix: it is taken off before routing, and pages link relative to [`Base`].

use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use http::{Method, Request, Uri};
use tower::Service;
use uuid::Uuid;

const PREFIX: &str = "/t/";

/// The path under which a session lives: `/`, or `/t/{random}/`. Begins and ends with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(Option<Arc<str>>);

impl Base {
    /// The root.
    pub(crate) const fn root() -> Self {
        Self(None)
    }

    /// A path that no other tab has.
    pub(crate) fn random() -> Self {
        Self(Some(format!("{PREFIX}{}/", Uuid::new_v4().simple()).into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("/")
    }

    /// What a page opens in the end that stands in for the answer to a request: nothing (its own address) after a `GET`, else the
    /// first page, so that what was sent is not sent again.
    pub(crate) fn reopened(&self, method: &Method) -> &str {
        if method == Method::GET { "" } else { self.as_str() }
    }

    pub(crate) const fn is_root(&self) -> bool {
        self.0.is_none()
    }
}

/// Takes the tab's path off every request before it is routed, and notes it for the steps behind.
#[derive(Clone, Debug)]
pub(crate) struct TabPaths<S>(S);

impl<S> TabPaths<S> {
    pub(crate) const fn new(routes: S) -> Self {
        Self(routes)
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for TabPaths<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let base = split(request.uri_mut());
        request.extensions_mut().insert(base);
        self.0.call(request)
    }
}

/// Takes the base off a request's URI. For paths of no tab that is the root and changes nothing.
pub(crate) fn split(uri: &mut Uri) -> Base {
    let Some(length) = prefix_length(uri.path()) else { return Base::root() };
    let base = Base(Some(uri.path()[..length].into()));
    let rest = uri.path_and_query().map_or("/", |all| &all.as_str()[length - 1..]);
    let mut parts = uri.clone().into_parts();
    if let Ok(rest) = PathAndQuery::try_from(rest) {
        parts.path_and_query = Some(rest);
        if let Ok(stripped) = Uri::from_parts(parts) {
            *uri = stripped;
            return base;
        }
    }
    Base::root()
}

/// The length of `/t/{token}/` at the head of a path, where the token is 16 to 64 letters and digits.
fn prefix_length(path: &str) -> Option<usize> {
    let (token, _) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let sound = (16..=64).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then_some(PREFIX.len() + token.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tabs_path_is_taken_off_with_its_query_kept() {
        let base = Base::random();
        for (rest, inner) in [("", "/"), ("events", "/events"), ("logout?reason=drain", "/logout?reason=drain")] {
            let mut uri: Uri = format!("{}{rest}", base.as_str()).parse().unwrap();
            assert_eq!(split(&mut uri), base);
            assert_eq!(uri.to_string(), inner);
        }
    }

    #[test]
    fn paths_of_no_tab_stay_as_they_are() {
        for path in ["/", "/t/", "/t/short/", "/t/0123456789abcdef", "/t/0123456789abcde%2F/x", "/events"] {
            let mut uri: Uri = path.parse().unwrap();
            assert!(split(&mut uri).is_root(), "{path}");
            assert_eq!(uri.to_string(), path);
        }
    }
}
