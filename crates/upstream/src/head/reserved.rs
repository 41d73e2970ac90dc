//! The fields `Lastcall-*`, which only Lastcall may send to the app.
//!
//! CGI and its descendants (WSGI, PHP, Rack) hand `Lastcall-User` and `Lastcall_User` to the app under one name, some of them every other
//! character in the place of the hyphen, too. All of these are removed.

use http::header::{HeaderMap, HeaderName};
use http_support::header_fields::remove_where;

const PREFIX: &[u8] = b"lastcall";

/// `Lastcall-Session`: the id of the session.
pub const SESSION: HeaderName = HeaderName::from_static("lastcall-session");
/// `Lastcall-User`: the name of the user, percent-encoded. In answers: the name that the session is to have.
pub const USER: HeaderName = HeaderName::from_static("lastcall-user");
/// `Lastcall-Pod`: the name of the pod.
pub const POD: HeaderName = HeaderName::from_static("lastcall-pod");
/// `Lastcall-Remaining`: the whole seconds that are left of a countdown.
pub const REMAINING: HeaderName = HeaderName::from_static("lastcall-remaining");
/// `Lastcall-Logout`, in answers: the session is to end.
pub const LOGOUT: HeaderName = HeaderName::from_static("lastcall-logout");

/// Whether only Lastcall may send a field of this name.
pub fn is_reserved(name: &HeaderName) -> bool {
    // Names are in lower case.
    let name = name.as_str().as_bytes();
    name.strip_prefix(PREFIX).and_then(<[u8]>::first).is_some_and(|separator| !separator.is_ascii_alphanumeric())
}

/// Removes the reserved fields from trailers that a client has sent.
pub(crate) fn remove(headers: &mut HeaderMap) {
    remove_where(headers, is_reserved);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_that_an_app_may_take_for_ours_is_reserved() {
        for (name, expected) in [
            ("Lastcall-User", true),
            ("lastcall_user", true),
            ("LASTCALL-anything", true),
            ("lastcall.user", true),
            ("lastcall-", true),
            ("lastcall", false),
            ("lastcaller", false),
            ("x-lastcall-user", false),
        ] {
            assert_eq!(is_reserved(&HeaderName::from_bytes(name.as_bytes()).unwrap()), expected, "{name}");
        }
    }
}
