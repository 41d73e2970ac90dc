//! Where somebody goes after signing in: to the page that they wanted, and never to another site's.

use http::Uri;
use http::uri::PathAndQuery;

/// Where one signs in.
pub(crate) const SIGN_IN: &str = "/admin/sign-in";

/// The first page.
const HOME: &str = "/admin";

/// The longest address that is remembered, in bytes.
const LONGEST: usize = 2_000;

/// A page of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination(String);

impl Destination {
    /// Takes what a request says; what is no page of ours is the first one.
    pub(crate) fn from_input(text: &str) -> Self {
        let path = text.split('?').next().unwrap_or_default();
        let rest = path.strip_prefix(HOME);
        let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && !path.starts_with("/admin/sign-")
            && text.len() <= LONGEST
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && text.parse::<PathAndQuery>().is_ok();
        Self(if is_ours { text } else { HOME }.to_owned())
    }

    /// The page that was asked for.
    pub(super) fn of(uri: &Uri) -> Self {
        Self::from_input(uri.path_and_query().map_or(HOME, PathAndQuery::as_str))
    }

    /// Its address.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address where one signs in to go there.
    pub(super) fn by_way_of_sign_in(&self) -> String {
        if self.0 == HOME {
            return SIGN_IN.to_owned();
        }
        let query = serde_urlencoded::to_string([("next", &self.0)]).unwrap_or_default();
        format!("{SIGN_IN}?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_gone_to() {
        for ours in ["/admin", "/admin/", "/admin/users?q=a%20b&sort=-user", "/admin?x=//evil.test"] {
            assert_eq!(Destination::from_input(ours).as_str(), ours);
        }
        let long = format!("/admin?{}", "x".repeat(LONGEST));
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
            assert_eq!(Destination::from_input(other).as_str(), "/admin", "{other:?}");
        }
    }

    #[test]
    fn the_way_leads_over_the_sign_in_and_back() {
        let way = Destination::from_input("/admin/users?q=a&pod=b").by_way_of_sign_in();
        assert_eq!(way, "/admin/sign-in?next=%2Fadmin%2Fusers%3Fq%3Da%26pod%3Db");
        assert_eq!(Destination::from_input("//evil").by_way_of_sign_in(), "/admin/sign-in");
    }
}
