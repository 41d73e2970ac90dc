//! The path in front of Lastcall's own routes, which an operator may choose.

use std::sync::Arc;

use thiserror::Error;

use crate::assets::SCRIPT_PATH;

/// The longest prefix, in bytes.
const MAX_BYTES: usize = 100;

/// The path in front of Lastcall's own routes: nothing, or a path like `/_lastcall`, without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutePrefix(Option<Arc<str>>);

/// A text that cannot be a prefix of routes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "is not a valid path: use one like `/_lastcall`, with parts of letters, digits, `-`, `_`, `.` or `~`, and without a slash at the end"
)]
pub struct InvalidRoutePrefix;

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
    fn a_prefix_is_a_plain_path_without_a_slash_at_its_end() {
        for path in ["", "/_lastcall", "/a/b.c~d"] {
            assert_eq!(RoutePrefix::new(path).unwrap().as_str(), path);
        }
        for path in ["/", "a", "/a/", "//a", "/a//b", "/a/../b", "/.", "/{a}", "/a b", "/a?b", "/ü", "/%41"] {
            assert_eq!(RoutePrefix::new(path), Err(InvalidRoutePrefix), "{path}");
        }
    }
}
