//! Names that an operator may choose: of the cookie, and of the path in front of Lastcall's own routes.

use std::sync::Arc;

use thiserror::Error;

use crate::assets::SCRIPT_PATH;

/// The longest name of a cookie, and the longest prefix, in bytes.
const MAX_BYTES: usize = 100;

/// The name of the session cookie, without the prefix `__Host-` or `__Secure-` that a secure one gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName(Arc<str>);

/// The path in front of Lastcall's own routes: nothing, or a path like `/_lastcall`, without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutePrefix(Option<Arc<str>>);

/// A text that cannot be the name of a cookie.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "is no name of a cookie; write 1 to {MAX_BYTES} letters, digits, `-`, `_` or `.`, without the prefix `__Host-` or `__Secure-`"
)]
pub struct InvalidCookieName;

/// A text that cannot be a prefix of routes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "is no path for routes; write one like `/_lastcall`: parts of letters, digits, `-`, `_`, `.` or `~`, without a slash at the end"
)]
pub struct InvalidRoutePrefix;

impl Default for CookieName {
    fn default() -> Self {
        Self("session".into())
    }
}

impl CookieName {
    /// Takes a name.
    ///
    /// # Errors
    /// Where it is empty, longer than 100 bytes, has other characters than letters, digits, `-`, `_` and `.`, or begins with a
    /// prefix that browsers treat specially.
    pub fn new(name: &str) -> Result<Self, InvalidCookieName> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let lower = name.to_ascii_lowercase();
        let has_prefix =
            ["__host-", "__secure-", "__http-", "__host-http-"].iter().any(|prefix| lower.starts_with(prefix));
        if name.is_empty() || name.len() > MAX_BYTES || has_prefix || !name.bytes().all(is_valid) {
            return Err(InvalidCookieName);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RoutePrefix {
    /// Takes a path; the empty text is none.
    ///
    /// # Errors
    /// Where it does not begin with a slash, ends with one, is longer than 100 bytes, or has a part that is empty, `.` or `..`, or
    /// other characters than letters, digits, `-`, `_`, `.` and `~`.
    pub fn new(path: &str) -> Result<Self, InvalidRoutePrefix> {
        if path.is_empty() {
            return Ok(Self(None));
        }
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let mut parts = path.strip_prefix('/').ok_or(InvalidRoutePrefix)?.split('/');
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_valid);
        if path.len() > MAX_BYTES || !parts.all(is_part) {
            return Err(InvalidRoutePrefix);
        }
        Ok(Self(Some(path.into())))
    }

    /// The path, or an empty text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path of the script that brings the banner into a page.
    pub(crate) fn script_path(&self) -> String {
        format!("{}{SCRIPT_PATH}", self.as_str())
    }

    /// The path of the routes below `base`, which begins and ends with a slash, as the result does: `/t/…/_lastcall/`.
    pub(crate) fn below(&self, base: &str) -> String {
        match self.0.as_deref() {
            Some(prefix) => format!("{}{prefix}/", base.trim_end_matches('/')),
            None => base.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_has_a_name_that_every_browser_takes_and_no_prefix_of_its_own() {
        for name in ["session", "app_session", "a", "A.b-1"] {
            assert_eq!(CookieName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "a b", "a=b", "a;b", "ü", "__Host-x", "__secure-x", "__HOST-http-x", &"a".repeat(101)] {
            assert_eq!(CookieName::new(name), Err(InvalidCookieName), "{name}");
        }
    }

    #[test]
    fn a_prefix_is_a_plain_path_without_a_slash_at_its_end() {
        for path in ["", "/_lastcall", "/a/b.c~d"] {
            assert_eq!(RoutePrefix::new(path).unwrap().as_str(), path);
        }
        for path in ["/", "a", "/a/", "//a", "/a//b", "/a/../b", "/.", "/{a}", "/a b", "/a?b", "/ü", "/%41"] {
            assert_eq!(RoutePrefix::new(path), Err(InvalidRoutePrefix), "{path}");
        }
    }
}
