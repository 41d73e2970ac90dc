//! The page that an operator returns to after signing in: always one of this tier's pages, never another site.

use http::Uri;
use http::uri::PathAndQuery;

/// The path of the sign-in page.
pub(crate) const SIGN_IN_PATH: &str = "/admin/sign-in";

/// The path of the panel.
const HOME: &str = "/admin";

/// The longest path and query that is kept, in bytes.
const MAX_BYTES: usize = 2_000;

/// Path and query of one of this tier's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnPath(String);

impl ReturnPath {
    /// Reads a path from a request. Anything that is not a page of this tier becomes the panel.
    pub(crate) fn from_input(text: &str) -> Self {
        let path = text.split('?').next().unwrap_or_default();
        let rest = path.strip_prefix(HOME);
        let is_page = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && !path.starts_with("/admin/sign-")
            && text.len() <= MAX_BYTES
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && text.parse::<PathAndQuery>().is_ok();
        Self(if is_page { text } else { HOME }.to_owned())
    }

    /// Creates the path of the page that was requested.
    pub(crate) fn from_uri(uri: &Uri) -> Self {
        Self::from_input(uri.path_and_query().map_or(HOME, PathAndQuery::as_str))
    }

    /// Returns path and query.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address of the sign-in page that leads here.
    pub(crate) fn sign_in_url(&self) -> String {
        if self.0 == HOME {
            return SIGN_IN_PATH.to_owned();
        }
        let query = serde_urlencoded::to_string([("next", &self.0)]).unwrap_or_default();
        format!("{SIGN_IN_PATH}?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_tier_are_returned_to() {
        for page in ["/admin", "/admin/", "/admin/users?q=a%20b&sort=-user", "/admin?x=//evil.test"] {
            assert_eq!(ReturnPath::from_input(page).as_str(), page);
        }
        let long = format!("/admin?{}", "x".repeat(MAX_BYTES));
        for other in [
            "",
            "/",
            "//evil.test",
            "//evil.test/admin",
            "https://evil.test/admin",
            "/\\evil.test",
            "\\\\evil.test",
            "/admin\\..\\evil",
            "/administrator",
            "/admin.evil.test",
            "/admin\r\nset-cookie: x=1",
            "/admin/users?q=ä",
            " /admin/users",
            "/admin/sign-out",
            "/admin/sign-in?next=/admin",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(ReturnPath::from_input(other).as_str(), "/admin", "{other:?}");
        }
    }

    #[test]
    fn the_sign_in_url_carries_the_page_to_return_to() {
        let url = ReturnPath::from_input("/admin/users?q=a&pod=b").sign_in_url();
        assert_eq!(url, "/admin/sign-in?next=%2Fadmin%2Fusers%3Fq%3Da%26pod%3Db");
        assert_eq!(ReturnPath::from_input("//evil").sign_in_url(), "/admin/sign-in");
    }
}
