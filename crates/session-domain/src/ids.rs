//! The names of things: sessions, pods, users. Made of what a caller hands in; randomness is the caller's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The longest user name that is kept, in characters; what is longer is cut there.
pub const MAX_USER_CHARS: usize = 64;

/// The user name of a session that nobody has named.
pub const ANONYMOUS: &str = "anonymous";

/// Identifies a session. Not a secret: a session id alone opens nothing, the signed cookie does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// Makes an id of a UUID, which must be random (version 4) to be unique over all pods.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID behind the id.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = uuid::Error;

    /// Reads a UUID in any of its usual spellings.
    ///
    /// # Errors
    /// Where the text is no UUID.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The name of a pod: what `POD_NAME` says, never empty. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName(Arc<str>);

impl PodName {
    /// Takes a pod's name, without surrounding white space; `None` where nothing is left, where it has
    /// control characters, or where it is longer than the 253 characters of a DNS name.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        let fits = !name.is_empty() && name.len() <= 253 && !name.chars().any(char::is_control);
        fits.then(|| Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PodName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The name of a user: one line of visible text of 1 to [`MAX_USER_CHARS`] characters. Cheap to clone.
///
/// Whatever a person types becomes such a name: control characters and the marks that turn the direction of
/// text around are dropped, white space becomes single spaces, the rest is cut, and nothing at all is
/// [`ANONYMOUS`]. HTML stays as it was typed: whoever shows a name escapes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// The name of somebody who gave none.
    pub fn anonymous() -> Self {
        Self(ANONYMOUS.into())
    }

    /// Makes a name of what was typed, as the type describes.
    pub fn from_input(input: &str) -> Self {
        let mut name = String::new();
        for word in input.split_whitespace() {
            let mut visible = word.chars().filter(|c| is_visible(*c)).peekable();
            if !name.is_empty() && visible.peek().is_some() {
                name.push(' ');
            }
            name.extend(visible.take(MAX_USER_CHARS));
            if name.len() >= MAX_USER_CHARS * 4 {
                break;
            }
        }
        let name: String = name.chars().take(MAX_USER_CHARS).collect();
        match name.trim_end() {
            nothing if nothing.chars().all(is_joiner) => Self::anonymous(),
            name => Self(name.into()),
        }
    }

    /// The name as text, not escaped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for UserName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether a character may stand in a name: no control character, no mark that reorders or hides text. Joiners
/// (U+200C, U+200D) may: Persian words and families of emoji are written with them.
fn is_visible(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'))
}

/// Whether a character only joins others: alone it shows nothing.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_one_visible_line_of_at_most_64_characters() {
        for (typed, kept) in [
            ("", "anonymous"),
            (" \t\n ", "anonymous"),
            ("\u{202E}\u{200F}", "anonymous"),
            ("  ada \n lovelace ", "ada lovelace"),
            ("evil\u{202E}txt.exe", "eviltxt.exe"),
            ("a\u{0}b\u{1B}[31m", "ab[31m"),
            ("<b>bold</b>", "<b>bold</b>"),
            ("Zoë 🦀", "Zoë 🦀"),
            ("👩\u{200D}👧", "👩\u{200D}👧"),
            ("\u{200D}\u{200C}", "anonymous"),
        ] {
            assert_eq!(UserName::from_input(typed).as_str(), kept, "typed: {typed:?}");
        }
        let long = UserName::from_input(&"ü".repeat(10_000));
        assert_eq!(long.as_str().chars().count(), MAX_USER_CHARS);
        let words = UserName::from_input(&"ab ".repeat(5_000));
        assert!(words.as_str().chars().count() <= MAX_USER_CHARS && !words.as_str().ends_with(' '));
    }

    #[test]
    fn a_pod_name_is_never_empty() {
        assert_eq!(PodName::new("  "), None);
        assert_eq!(PodName::new("a\nb"), None);
        assert_eq!(PodName::new(" user-1 ").map(|n| n.to_string()), Some("user-1".into()));
    }
}
