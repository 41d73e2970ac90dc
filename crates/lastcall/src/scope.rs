//! Where a session lives in the URL: at the root, or (`SESSION_SCOPE=tab`) under a random path of the tab's own.
//!
//! Browsers keep cookies apart by path, so a path of its own makes every tab a session of its own. The app never
//! sees the prefix: it is taken off before routing, and pages link relative to [`Base`].

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{Method, Uri};
use uuid::Uuid;

use crate::config::SessionScope;

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

/// Takes the base off a request's URI. In browser scope, and for paths of no tab, that is the root and changes
/// nothing.
pub(crate) fn split(uri: &mut Uri, scope: SessionScope) -> Base {
    if scope == SessionScope::Browser {
        return Base::root();
    }
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
            assert_eq!(split(&mut uri, SessionScope::Tab), base);
            assert_eq!(uri.to_string(), inner);
        }
    }

    #[test]
    fn other_paths_and_browser_scope_stay_as_they_are() {
        for path in ["/", "/t/", "/t/short/", "/t/0123456789abcdef", "/t/0123456789abcde%2F/x", "/events"] {
            let mut uri: Uri = path.parse().unwrap();
            assert!(split(&mut uri, SessionScope::Tab).is_root(), "{path}");
            assert_eq!(uri.to_string(), path);
        }
        let mut uri: Uri = "/t/0123456789abcdef/x".parse().unwrap();
        assert!(split(&mut uri, SessionScope::Browser).is_root());
        assert_eq!(uri.path(), "/t/0123456789abcdef/x");
    }
}
